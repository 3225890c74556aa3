import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { OverviewView } from "./overview/overview-view";

export const metadata: Metadata = { title: "Overview" };

export default function OverviewPage() {
  return (
    <Prefetched fetch={(trpc, client) => [client.prefetchQuery(trpc.overview.get.queryOptions())]}>
      <OverviewView />
    </Prefetched>
  );
}
