import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { JobsView } from "./jobs-view";

export const metadata: Metadata = { title: "Jobs & runs" };

export default function JobsPage() {
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.jobs.list.queryOptions()),
        client.prefetchQuery(trpc.runs.list.queryOptions({ limit: 30 })),
        client.prefetchQuery(trpc.hosts.list.queryOptions()),
      ]}
    >
      <JobsView />
    </Prefetched>
  );
}
