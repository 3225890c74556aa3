"use client";
import { CircleCheck, CircleX } from "lucide-react";
import { Time } from "@/app/components/time";
import { auditActions, isAuditAction } from "@/server/core/access/audit";
import { roleTexts } from "@/server/core/access/permissions";
import type { AuditEntry } from "@/server/core/contracts/audit";
import { AuditDetails } from "./audit-details";

export function AuditTable({ entries }: { entries: readonly AuditEntry[] }) {
  return (
    <table className="rows cards">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id} className="align-top">
            <td data-label="When" className="whitespace-nowrap">
              <Time at={entry.at} style="full" />
            </td>
            <td data-label="Who">
              <span className="wrap-anywhere min-w-0">
                {entry.by}
                <span className="block text-mute text-xs">
                  {[entry.role && roleTexts[entry.role].label.toLowerCase(), entry.address].filter(Boolean).join(", ")}
                </span>
              </span>
            </td>
            <td className="lead">
              <span className="wrap-anywhere">
                {isAuditAction(entry.action) ? auditActions[entry.action] : entry.action}
                {entry.subject && <span className="font-medium"> {entry.subject}</span>}
              </span>
              <AuditDetails entry={entry} />
            </td>
            <td data-label="Outcome">
              <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
                {entry.outcome === "done" ? (
                  <CircleCheck className="size-4 text-accent" aria-hidden />
                ) : (
                  <CircleX className="size-4 text-loss-ink" aria-hidden />
                )}
                {entry.outcome}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
