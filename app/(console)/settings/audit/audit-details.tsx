"use client";
import { changedFields } from "@/server/core/access/audit";
import type { AuditEntry } from "@/server/core/contracts/audit";

/** What changed, field by field; else what was asked; and why it was not done. */
export function AuditDetails({ entry }: { entry: AuditEntry }) {
  const documents = entry.before !== null || entry.after !== null;
  const fields = documents
    ? changedFields(entry.before ?? {}, entry.after ?? {})
    : changedFields({}, entry.input ?? {});
  return (
    <>
      {entry.message && <span className="block text-loss-ink text-xs">{entry.message}</span>}
      {fields.length > 0 && (
        <details className="text-xs">
          <summary className="w-fit cursor-pointer text-mute hover:text-ink">
            {documents ? "What changed" : "What was asked"}
          </summary>
          <dl className="mt-1.5 space-y-1">
            {fields.map(({ field, before, after }) => (
              <div key={field} className="flex flex-wrap gap-x-2">
                <dt className="font-mono text-mute">{field}</dt>
                <dd className="wrap-anywhere min-w-0 font-mono">
                  {documents && entry.before !== null && (
                    <>
                      <del className="text-mute">{shown(before)}</del>
                      <span aria-hidden> → </span>
                      <span className="sr-only">, now </span>
                    </>
                  )}
                  {(!documents || entry.after !== null) && <ins className="no-underline">{shown(after)}</ins>}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  );
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
