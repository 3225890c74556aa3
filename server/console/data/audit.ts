/** The audit log's rows. */

import { type AuditEntry, auditOutcomeSchema } from "@/server/core/contracts/audit";
import { roleSchema } from "@/server/core/contracts/role";
import type { Database } from "./database";
import { Prisma } from "./generated/client";

export type NewAuditEntry = Omit<AuditEntry, "id" | "at">;
export type AuditQuery = {
  /** Only older ones than this id. */
  before?: number | undefined;
  limit: number;
  action?: string | undefined;
  /** Part of the address or the subject. */
  text?: string | undefined;
};

export class AuditStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async add({ input, before, after, ...entry }: NewAuditEntry): Promise<void> {
    await this.#db.auditEntry.create({
      data: { ...entry, input: json(input), before: json(before), after: json(after) },
    });
  }

  /** Newest first. */
  async list({ before, limit, action, text }: AuditQuery): Promise<AuditEntry[]> {
    const rows = await this.#db.auditEntry.findMany({
      where: {
        ...(before !== undefined && { id: { lt: before } }),
        ...(action && { action }),
        ...(text && { OR: [{ by: { contains: text } }, { subject: { contains: text } }] }),
      },
      orderBy: { id: "desc" },
      take: limit,
    });
    return rows.map((row) => ({
      ...row,
      at: row.at.toISOString(),
      role: row.role === null ? null : roleSchema.parse(row.role),
      outcome: auditOutcomeSchema.parse(row.outcome),
    }));
  }

  /** How many entries older than this were removed. */
  async forget(before: Date): Promise<number> {
    return (await this.#db.auditEntry.deleteMany({ where: { at: { lt: before } } })).count;
  }
}

/** A column without a value is SQL's NULL, not JSON's. */
function json(value: unknown): Prisma.InputJsonValue | typeof Prisma.DbNull {
  return value === null || value === undefined
    ? Prisma.DbNull
    : (JSON.parse(JSON.stringify(value)) as Prisma.InputJsonValue);
}
