/** Samples kept for the lanes of finished runs. */
import { type Sample, sampleSchema } from "@/server/core/contracts/volume";
import type { Database } from "./database";

export type RunSampleRow = { runId: string; sample: Sample };

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

  /** At most about `most` samples of each volume, evenly chosen, the newest among them; oldest first. */
  async ofRun(runId: string, most: number): Promise<Sample[]> {
    const rows = await this.#db.$queryRaw<{ sample: string }[]>`
      SELECT "sample" FROM (
        SELECT "id", "sample",
          ROW_NUMBER() OVER (PARTITION BY "volume" ORDER BY "id" DESC) - 1 AS place,
          COUNT(*) OVER (PARTITION BY "volume") AS total
        FROM "RunSample" WHERE "runId" = ${runId}
      ) WHERE place % ((total + ${most - 1}) / ${most}) = 0 ORDER BY "id"`;
    return rows.map((row) => sampleSchema.parse(JSON.parse(row.sample)));
  }
}
