import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { failureListSchema } from "@/server/core/lists/failure-list";
import { readListQuery } from "@/server/core/lists/list-query";
import { TroubleshootView } from "./troubleshoot-view";

export const metadata: Metadata = { title: "Troubleshoot" };

type TroubleshootPageProps = { searchParams: Promise<Record<string, string | string[] | undefined>> };

export default async function TroubleshootPage({ searchParams }: TroubleshootPageProps) {
  const query = readListQuery(failureListSchema, await searchParams);
  return (
    <Prefetched
      fetch={(trpc, client) => [
        client.prefetchQuery(trpc.failures.groups.queryOptions(query)),
        client.prefetchQuery(trpc.hosts.list.queryOptions()),
      ]}
    >
      <TroubleshootView />
    </Prefetched>
  );
}
