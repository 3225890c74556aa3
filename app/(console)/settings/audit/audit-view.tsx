"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { ScrollText } from "lucide-react";
import { Button } from "@/app/components/button";
import { Card } from "@/app/components/card";
import { EmptyState } from "@/app/components/empty-state";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { useMay } from "../../access/may";
import { AuditExport } from "./audit-export";
import { type AuditFilter, auditPages } from "./audit-filter";
import { AuditSearch } from "./audit-search";
import { AuditTable } from "./audit-table";

export function AuditView({ filter }: { filter: AuditFilter }) {
  const trpc = useTRPC();
  const allowed = useMay("readAudit");
  const log = useInfiniteQuery(
    trpc.audit.list.infiniteQueryOptions(filter, {
      enabled: allowed,
      ...auditPages,
    }),
  );
  const entries = log.data?.pages.flat() ?? [];
  const filtered = Object.keys(filter).length > 0;
  return (
    <>
      <PageHeader
        title="Audit log"
        subtitle="Who changed what, in the browser and on the command line. Kept for two years; entries cannot be changed."
        actions={allowed && <AuditExport filter={filter} />}
      />
      {!allowed && <Note title="Only administrators see this place">Ask one of them for what you need.</Note>}
      {allowed && <AuditSearch filter={filter} />}
      <Unanswered query={log} of="audit log" className="mb-4" />
      {log.data && entries.length === 0 && (
        <EmptyState icon={ScrollText} title={filtered ? "Nothing matches" : "Nothing was done yet"}>
          {filtered ? "Search for less, or for another action." : "Every change leaves an entry here."}
        </EmptyState>
      )}
      {entries.length > 0 && (
        <Card>
          <AuditTable entries={entries} />
          {log.hasNextPage && (
            <div className="mt-4 flex justify-center">
              <Button busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
                Older
              </Button>
            </div>
          )}
        </Card>
      )}
    </>
  );
}
