"use client";
import { useQueryClient } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { formatCount } from "@/app/components/format";
import { saveFile } from "@/app/components/save-file";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { AuditEntry } from "@/server/core/contracts/audit";
import { toCsv } from "@/server/core/text/csv";
import type { AuditFilter } from "./audit-filter";

const PAGE = 1000;
const columns = ["at", "by", "role", "address", "action", "subject", "outcome", "message"] as const;
const documents = ["input", "before", "after"] as const;

/** All entries of the filter as a CSV file, oldest last, documents as JSON. */
export function AuditExport({ filter }: { filter: AuditFilter }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [read, setRead] = useState<number | null>(null);
  async function save() {
    setRead(0);
    try {
      const entries: AuditEntry[] = [];
      for (let cursor: number | undefined; ; cursor = entries.at(-1)?.id) {
        const page = await queryClient.fetchQuery(trpc.audit.list.queryOptions({ ...filter, limit: PAGE, cursor }));
        entries.push(...page);
        setRead(entries.length);
        if (page.length < PAGE) break;
      }
      const name = `stillframe-audit-${new Date().toISOString().slice(0, 10)}.csv`;
      saveFile(name, new Blob([csv(entries)], { type: "text/csv;charset=utf-8" }));
    } catch (error) {
      toast.error(faultOf(error).message);
    } finally {
      setRead(null);
    }
  }
  return (
    <Button busy={read !== null} onClick={save}>
      {read === null && <Download aria-hidden />}
      {read ? `${formatCount(read)} read` : "Export as CSV"}
    </Button>
  );
}

function csv(entries: readonly AuditEntry[]): string {
  const rows = entries.map((entry) => [
    ...columns.map((column) => entry[column]),
    ...documents.map((column) => (entry[column] === null ? null : JSON.stringify(entry[column]))),
  ]);
  return toCsv([[...columns, ...documents], ...rows]);
}
