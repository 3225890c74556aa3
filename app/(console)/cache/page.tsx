import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { CacheView } from "./cache-view";

export const metadata: Metadata = { title: "Cache" };

export default function CachePage() {
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.cache.list.queryOptions({})),
        client.prefetchQuery(trpc.hosts.list.queryOptions()),
      ]}
    >
      <CacheView />
    </Prefetched>
  );
}
