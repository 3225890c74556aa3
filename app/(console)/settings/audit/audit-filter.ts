import { isAuditAction } from "@/server/core/access/audit";
import type { AuditEntry } from "@/server/core/contracts/audit";

/** Entries in a page of the list. */
const PAGE = 100;

/** The list goes on after the last entry of a full page. */
export const auditPages = {
  getNextPageParam: (page: readonly AuditEntry[]) => (page.length === PAGE ? page.at(-1)?.id : undefined),
};

/** What of the log is wanted; it is kept in the page's address. */
export type AuditFilter = { action?: string; text?: string };

export function auditFilter(asked: Record<string, string | string[] | undefined>): AuditFilter {
  const { action, text } = asked;
  return {
    ...(typeof action === "string" && isAuditAction(action) && { action }),
    ...(typeof text === "string" && text.trim() !== "" && { text: text.trim().slice(0, 200) }),
  };
}

export function auditAddress(filter: AuditFilter): string {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value)).toString();
  return query ? `/settings/audit?${query}` : "/settings/audit";
}
