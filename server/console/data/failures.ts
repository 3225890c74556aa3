/** Failures with their evidence. They are written with the events that they come from (`run-events.ts`). */
import { z } from "zod";
import { type Evidence, evidenceSchema } from "@/server/core/contracts/run";
import type { FailureView } from "@/server/core/contracts/views";
import { errorCodeSchema } from "@/server/core/errors/codes";
import type { Database } from "./database";
import type { Failure } from "./generated/client";

const MOST = 1000;

function toView(row: Failure): FailureView {
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
  };
}

export class FailureStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Newest first. */
  async list(filter: { unresolvedOnly: boolean }): Promise<FailureView[]> {
    const rows = await this.#db.failure.findMany({
      where: filter.unresolvedOnly ? { resolvedAt: null } : {},
      orderBy: { at: "desc" },
      take: MOST,
    });
    return rows.map(toView);
  }

  async find(id: string): Promise<(FailureView & { evidence: Evidence }) | null> {
    const row = await this.#db.failure.findUnique({ where: { id } });
    return row && { ...toView(row), evidence: evidenceSchema.parse(z.json().parse(JSON.parse(row.evidence))) };
  }
}
