import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { readListQuery } from "@/server/core/lists/list-query";
import { runListSchema } from "@/server/core/lists/run-list";
import { RunsView } from "./runs-view";

export const metadata: Metadata = { title: "Runs" };

type RunsPageProps = { searchParams: Promise<Record<string, string | string[] | undefined>> };

export default async function RunsPage({ searchParams }: RunsPageProps) {
  const query = readListQuery(runListSchema, await searchParams);
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.runs.page.queryOptions(query)),
        client.prefetchQuery(trpc.hosts.list.queryOptions()),
      ]}
    >
      <RunsView />
    </Prefetched>
  );
}
