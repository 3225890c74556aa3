import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { HostsView } from "./hosts-view";

export const metadata: Metadata = { title: "Hosts" };

export default function HostsPage() {
  return (
    <Prefetched fetch={(trpc, client) => [client.prefetchQuery(trpc.hosts.list.queryOptions())]}>
      <HostsView />
    </Prefetched>
  );
}
