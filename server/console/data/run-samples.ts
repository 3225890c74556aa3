/** Samples kept for the lanes of finished runs. */
import { type KeptSample, keptSampleSchema } from "@/server/core/contracts/views";
import type { Database } from "./database";

export type RunSampleRow = { runId: string; sample: KeptSample };

export class SampleStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** One statement for any number of samples: a statement a row would cost half a millisecond each. */
  async add(rows: RunSampleRow[]): Promise<void> {
    if (rows.length === 0) return;
    const json = JSON.stringify(rows.map(({ runId, sample }) => ({ runId, volume: sample.volume, sample })));
    await this.#db.$executeRaw`
      INSERT INTO "RunSample" ("runId", "volume", "sample")
      SELECT value ->> 'runId', value ->> 'volume', value -> 'sample' FROM json_each(${json})
      WHERE value ->> 'runId' IN (SELECT "id" FROM "Run")`;
  }

  /**
   * At most about `most` samples of each volume, evenly chosen, the newest among them; oldest first. Each tells the
   * largest rate of those that it stands for.
   */
  async ofRun(runId: string, most: number): Promise<KeptSample[]> {
    const rows = await this.#db.$queryRaw<{ sample: string }[]>`
      SELECT json_set("sample", '$.peakBytesPerSecond', peak) AS sample FROM (
        SELECT "id", "sample", place, every,
          MAX(COALESCE("sample" ->> 'peakBytesPerSecond', 0)) OVER (PARTITION BY "volume", place / every) AS peak
        FROM (
          SELECT "id", "volume", "sample",
            ROW_NUMBER() OVER (PARTITION BY "volume" ORDER BY "id" DESC) - 1 AS place,
            (COUNT(*) OVER (PARTITION BY "volume") + ${most - 1}) / ${most} AS every
          FROM "RunSample" WHERE "runId" = ${runId}
        )
      ) WHERE place % every = 0 ORDER BY "id"`;
    return rows.map((row) => keptSampleSchema.parse(JSON.parse(row.sample)));
  }
}
