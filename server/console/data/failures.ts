/** Failures with their evidence. They are written with the events that they come from (`run-events.ts`). */
import { z } from "zod";
import { errorCodeSchema } from "@/server/core/contracts/error-code";
import { type Evidence, evidenceSchema } from "@/server/core/contracts/run";
import type { FailureView } from "@/server/core/contracts/views";
import type { Database } from "./database";
import type { Failure } from "./generated/client";

/** Failures that are looked at to group them; older ones are history. */
const MOST = 10_000;

type Row = Omit<Failure, "evidence">;
type Kind = Pick<FailureView, "hostId" | "job" | "code" | "volume">;

function toView(row: Row): FailureView {
  const { acknowledgedAt, acknowledgedBy } = row;
  return {
    id: row.id,
    code: errorCodeSchema.parse(row.code),
    at: row.at.toISOString(),
    runId: row.runId,
    job: { id: row.jobId, name: row.jobName },
    hostId: row.hostId,
    volume: row.volume,
    message: row.message,
    resolved: row.resolvedAt !== null,
    acknowledgement:
      acknowledgedAt === null || acknowledgedBy === null
        ? null
        : { by: acknowledgedBy, at: acknowledgedAt.toISOString(), note: row.acknowledgedNote },
  };
}

const ofKind = ({ hostId, job, code, volume }: Kind) => ({ hostId, jobId: job.id, code, volume });

export class FailureStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Newest first. */
  async list(
    filter: { openOnly?: boolean; kind?: Kind; runId?: string; hostId?: string } = {},
  ): Promise<FailureView[]> {
    const rows = await this.#db.failure.findMany({
      where: {
        ...(filter.openOnly && { resolvedAt: null }),
        ...(filter.kind && ofKind(filter.kind)),
        ...(filter.runId !== undefined && { runId: filter.runId }),
        ...(filter.hostId !== undefined && { hostId: filter.hostId }),
      },
      omit: { evidence: true },
      orderBy: { at: "desc" },
      take: MOST,
    });
    return rows.map(toView);
  }

  async find(id: string): Promise<(FailureView & { evidence: Evidence }) | null> {
    const row = await this.#db.failure.findUnique({ where: { id } });
    return row && { ...toView(row), evidence: evidenceSchema.parse(z.json().parse(JSON.parse(row.evidence))) };
  }

  /** Of all open ones of the kind; null takes it back. Returns how many there are. */
  async acknowledge(kind: Kind, by: { by: string; at: Date; note: string | null } | null): Promise<number> {
    const { count } = await this.#db.failure.updateMany({
      where: { ...ofKind(kind), resolvedAt: null },
      data: {
        acknowledgedAt: by?.at ?? null,
        acknowledgedBy: by?.by ?? null,
        acknowledgedNote: by?.note ?? null,
      },
    });
    return count;
  }
}
