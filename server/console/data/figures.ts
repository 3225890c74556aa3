/** Sums over runs and failures, for the metrics. */
import type { Database } from "./database";

export type EndedRuns = {
  jobId: string;
  jobName: string;
  /** An outcome of a run. */
  outcome: string;
  count: number;
  lastEndedAt: string | null;
};
export type FailureCount = { code: string; total: number; unresolved: number };

export class FigureStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Of each job, those that were removed too. */
  async endedRuns(): Promise<EndedRuns[]> {
    const rows = await this.#db.$queryRaw<(Omit<EndedRuns, "count"> & { count: number | bigint })[]>`
      SELECT "jobId", json_extract("state", '$.job.name') AS "jobName", json_extract("state", '$.state') AS "outcome",
        COUNT(*) AS "count", MAX(json_extract("state", '$.endedAt')) AS "lastEndedAt"
      FROM "Run" WHERE "active" = 0 GROUP BY "jobId", "outcome"`;
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }

  async failures(): Promise<FailureCount[]> {
    const rows = await this.#db.failure.groupBy({ by: ["code"], _count: { _all: true, resolvedAt: true } });
    return rows.map(({ code, _count: { _all, resolvedAt } }) => ({ code, total: _all, unresolved: _all - resolvedAt }));
  }
}
