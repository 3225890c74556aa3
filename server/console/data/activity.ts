/** What was measured of volumes' writes, in the steps of server/core/history/rollup.ts. */
import { z } from "zod";
import type { Activity } from "@/server/core/contracts/activity";
import { type Rollup, type Step, type StepName, stepNamed, steps } from "@/server/core/history/rollup";
import { type Database, patient } from "./database";

export type RollupRow = { volume: string; step: Step; rollup: Rollup };
type Named = { hostId: string; volume: string };

/** A host whose clock is wrong may have told of days to come; their rows would never grow old. */
const AHEAD_MS = 24 * 3_600_000;

type Columns = [number, number, number, number, number, number, number, number, number];
type Quiet = [number, number, number, number];
const histogram = z.array(z.number());
const numbers = z.array(z.array(z.number()));

export class ActivityStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Puts rows in the place of those that are there; all or none. */
  async save(hostId: string, zone: string, rows: readonly RollupRow[]): Promise<void> {
    if (rows.length === 0) return;
    const names = JSON.stringify([...new Set(rows.map((row) => row.volume))]);
    const json = JSON.stringify(
      rows.map(({ volume, step, rollup: { atMs, activity, rates } }) => ({
        ...activity,
        volume,
        stepMs: step.ms,
        atMs,
        rates,
      })),
    );
    await this.#db.$transaction(async (tx) => {
      await tx.$executeRaw`
        INSERT INTO "MeasuredVolume" ("hostId", "name", "zone")
        SELECT ${hostId}, value, ${zone} FROM json_each(${names}) WHERE true
        ON CONFLICT ("hostId", "name") DO UPDATE SET "zone" = excluded."zone"`;
      await tx.$executeRaw`
        INSERT OR REPLACE INTO "ActivityRollup" ("volumeId", "stepMs", "atMs", "fromMs", "toMs", "measuredMs",
          "writes", "writeBytes", "frozenWriteBytes", "preservedBytes", "skippedFreeBytes",
          "quietHeadMs", "quietTailMs", "quietLongestMs", "quietLongestFromMs", "gaps", "rates")
        SELECT v."id", value ->> 'stepMs', value ->> 'atMs', value ->> 'fromMs', value ->> 'toMs', value ->> 'measuredMs',
          value ->> 'writes', value ->> 'writeBytes', value ->> 'frozenWriteBytes', value ->> 'preservedBytes',
          value ->> 'skippedFreeBytes', value ->> 'quietHeadMs', value ->> 'quietTailMs', value ->> 'quietLongestMs',
          value ->> 'quietLongestFromMs', value -> 'gaps', value -> 'rates'
        FROM json_each(${json}) JOIN "MeasuredVolume" v ON v."hostId" = ${hostId} AND v."name" = value ->> 'volume'`;
    }, patient);
  }

  /** One row with its histograms, if it is there. */
  async find(of: Named, step: Step, atMs: number): Promise<Rollup | null> {
    const [row] = await this.#rows(of, step, atMs, atMs);
    if (!row) return null;
    const kept = await this.#db.activityRollup.findFirst({
      where: { volume: { hostId: of.hostId, name: of.volume }, stepMs: step.ms, atMs },
      select: { gaps: true, rates: true },
    });
    const read = (text: string | undefined) => histogram.parse(JSON.parse(text ?? "[]"));
    return { ...row, activity: { ...row.activity, gaps: read(kept?.gaps) }, rates: read(kept?.rates) };
  }

  /** The last row of a step. */
  async newest(of: Named, step: Step): Promise<Rollup | null> {
    const last = await this.#db.activityRollup.findFirst({
      where: { volume: { hostId: of.hostId, name: of.volume }, stepMs: step.ms },
      select: { atMs: true },
      orderBy: { atMs: "desc" },
    });
    return last && this.find(of, step, Number(last.atMs));
  }

  /** Rows from an instant on, oldest first, without their histograms. */
  rows(of: Named, step: StepName, sinceMs: number): Promise<Rollup[]> {
    return this.#rows(of, stepNamed(step), sinceMs, Number.MAX_SAFE_INTEGER);
  }

  /** What was measured on a host ever and is kept, with the host's time zone. */
  volumes(hostId: string): Promise<{ name: string; zone: string }[]> {
    return this.#db.measuredVolume.findMany({
      where: { hostId },
      select: { name: true, zone: true },
      orderBy: { name: "asc" },
    });
  }

  /** Everything that was measured of a volume. */
  async forget({ hostId, volume }: Named): Promise<void> {
    await this.#db.measuredVolume.deleteMany({ where: { hostId, name: volume } });
  }

  /** Removes what is older than each step is kept, and volumes of which nothing is left. */
  async trim(nowMs: number): Promise<void> {
    await this.#db.$transaction(async (tx) => {
      for (const { ms, keptMs } of steps) {
        // By volume: the key begins with it, so nothing else is looked at.
        await tx.$executeRaw`
          DELETE FROM "ActivityRollup" WHERE "volumeId" IN (SELECT "id" FROM "MeasuredVolume") AND "stepMs" = ${ms}
            AND ("atMs" < ${nowMs - keptMs} OR "atMs" > ${nowMs + AHEAD_MS})`;
      }
      await tx.$executeRaw`
        DELETE FROM "MeasuredVolume" WHERE NOT EXISTS (SELECT 1 FROM "ActivityRollup" WHERE "volumeId" = "id")`;
    }, patient);
  }

  /** As one text: thousands of rows as objects of the client would take a second. */
  async #rows({ hostId, volume }: Named, step: Step, first: number, last: number): Promise<Rollup[]> {
    const [found] = await this.#db.$queryRaw<{ rows: string | null }[]>`
      SELECT json_group_array(json_array("atMs", "fromMs", "toMs", "measuredMs", "writes", "writeBytes",
        "frozenWriteBytes", "preservedBytes", "skippedFreeBytes",
        "quietHeadMs", "quietTailMs", "quietLongestMs", "quietLongestFromMs")) AS "rows"
      FROM (SELECT * FROM "ActivityRollup"
        WHERE "volumeId" = (SELECT "id" FROM "MeasuredVolume" WHERE "hostId" = ${hostId} AND "name" = ${volume})
          AND "stepMs" = ${step.ms} AND "atMs" BETWEEN ${first} AND ${last} ORDER BY "atMs")`;
    return numbers.parse(JSON.parse(found?.rows ?? "[]")).map((row) => {
      const [atMs, fromMs, toMs, measuredMs, writes, writeBytes, frozenWriteBytes, preservedBytes, skippedFreeBytes] =
        row as Columns;
      const [quietHeadMs, quietTailMs, quietLongestMs, quietLongestFromMs] = row.slice(9) as Quiet;
      const activity: Activity = {
        fromMs,
        toMs,
        measuredMs,
        writes,
        writeBytes,
        frozenWriteBytes,
        preservedBytes,
        skippedFreeBytes,
        quietHeadMs,
        quietTailMs,
        quietLongestMs,
        quietLongestFromMs,
        gaps: [],
      };
      return { atMs, activity, rates: [] };
    });
  }
}
