import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { VolumesView } from "./volumes-view";

export const metadata: Metadata = { title: "Volumes" };

export default function VolumesPage() {
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.volumes.list.queryOptions({})),
        client.prefetchQuery(trpc.hosts.list.queryOptions()),
      ]}
    >
      <VolumesView />
    </Prefetched>
  );
}
