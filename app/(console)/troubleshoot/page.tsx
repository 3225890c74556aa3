import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { TroubleshootView } from "./troubleshoot-view";

export const metadata: Metadata = { title: "Troubleshoot" };

export default function TroubleshootPage() {
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.failures.list.queryOptions()),
        client.prefetchQuery(trpc.hosts.list.queryOptions()),
      ]}
    >
      <TroubleshootView />
    </Prefetched>
  );
}
