import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { auditFilter, auditPages } from "./audit-filter";
import { AuditView } from "./audit-view";

export const metadata: Metadata = { title: "Audit log" };

type AuditPageProps = { searchParams: Promise<Record<string, string | string[] | undefined>> };

export default async function AuditPage({ searchParams }: AuditPageProps) {
  const filter = auditFilter(await searchParams);
  return (
    <Prefetched
      fetch={(trpc, client) => [client.prefetchInfiniteQuery(trpc.audit.list.infiniteQueryOptions(filter, auditPages))]}
    >
      <AuditView filter={filter} />
    </Prefetched>
  );
}
