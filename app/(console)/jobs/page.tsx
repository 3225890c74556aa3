import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { jobListSchema } from "@/server/core/lists/job-list";
import { readListQuery } from "@/server/core/lists/list-query";
import { JobsView } from "./jobs-view";
import { RECENT_RUNS } from "./recent-runs";

export const metadata: Metadata = { title: "Jobs & runs" };

type JobsPageProps = { searchParams: Promise<Record<string, string | string[] | undefined>> };

export default async function JobsPage({ searchParams }: JobsPageProps) {
  const query = readListQuery(jobListSchema, await searchParams);
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.jobs.page.queryOptions(query)),
        client.prefetchQuery(trpc.runs.list.queryOptions({ limit: RECENT_RUNS })),
        client.prefetchQuery(trpc.hosts.list.queryOptions()),
      ]}
    >
      <JobsView />
    </Prefetched>
  );
}
