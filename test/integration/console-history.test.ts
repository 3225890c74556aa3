/**
 * Write activity as history: what a worker tells is kept in three steps, through restarts of the console, and read
 * by the real API. The worker is a scripted peer (it says why in its own file); that a real one tells this is tested
 * in `worker-history.test.ts`.
 */
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { VolumeActivity } from "@/server/core/contracts/activity";
import { eventually } from "../fixtures/console-under-test";
import { officeWeeks, stretch } from "../fixtures/history";
import { jobInput, started, volume } from "../fixtures/link-documents";
import { type LinkedConsole, linkedConsole } from "../fixtures/linked-console";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MIB = 1024 * 1024;

let linked: LinkedConsole;
let { it, worker, client, hostId } = {} as LinkedConsole;

beforeEach(async () => {
  linked = await linkedConsole(volume("data"), volume("db"));
  ({ it, worker, client, hostId } = linked);
});
afterEach(() => linked?.remove());

const tell = (volumes: VolumeActivity[]) => worker.send({ type: "activity", zone: "Europe/Berlin", volumes });
const kept = () => {
  const db = new Sqlite(it.databaseFile, { readonly: true });
  try {
    return db
      .prepare(
        `SELECT "stepMs", COUNT(*) AS "rows", SUM("writeBytes") AS "bytes", SUM("measuredMs") AS "ms"
         FROM "ActivityRollup" GROUP BY "stepMs" ORDER BY "stepMs"`,
      )
      .all() as { stepMs: number; rows: number; bytes: number; ms: number }[];
  } finally {
    db.close();
  }
};
const thisHour = () => Math.floor(Date.now() / HOUR) * HOUR;

test("summaries are kept in steps of 10 s, 5 min and 1 h, with the same bytes in each, through a restart", async () => {
  const from = thisHour() - HOUR;
  const of = (i: number) => ({ volume: "data", ...stretch(from + i * 10_000, 10_000, 4096 * (i + 1), 500) });
  tell(Array.from({ length: 20 }, (_, i) => of(i)));
  await eventually(() => kept()[0]?.rows === 20);
  worker.drop();
  await it.stop();
  await it.start();
  await worker.connect(it.origin, it.hostKey);
  tell(Array.from({ length: 40 }, (_, i) => of(20 + i)));
  await eventually(() => kept()[0]?.rows === 60);
  const bytes = (4096 * 60 * 61) / 2;
  expect(kept()).toEqual([
    { stepMs: 10_000, rows: 60, bytes, ms: 600_000 },
    { stepMs: 300_000, rows: 2, bytes, ms: 600_000 },
    { stepMs: 3_600_000, rows: 1, bytes, ms: 600_000 },
  ]);
  const { points } = await client.history.rates.query({ hostId, volume: "data", range: "day" });
  const measured = points.filter((point) => point.bytesPerSecond !== null);
  expect(measured).toHaveLength(2);
  expect(measured.reduce((sum, point) => sum + (point.bytesPerSecond ?? 0) * 300, 0)).toBeCloseTo(bytes, 3);
});

test("what is older than its step is kept goes, and what is far in the future with it", async () => {
  const now = thisHour();
  const at = (ms: number) => ({ volume: "data", ...stretch(ms, 10_000, 4096, 0) });
  tell([at(now - HOUR), at(now - 3 * DAY), at(now - 61 * DAY), at(now - 731 * DAY), at(now + 30 * DAY)]);
  await eventually(() => kept().length > 0 && kept()[0]?.rows === 1);
  expect(kept().map(({ rows }) => rows)).toEqual([1, 2, 3]);
});

test("the week is that of the viewer's place, and the hours of rest are found for several volumes together", async () => {
  const from = thisHour() - 14 * DAY;
  tell([...officeWeeks("data", from, from + 14 * DAY, MIB), ...officeWeeks("db", from, from + 14 * DAY, 2 * MIB)]);
  const week = await eventually(async () => {
    const history = await client.history.volume.query({ hostId, volume: "db", zone: "UTC" });
    return history.measuredMs >= 14 * DAY && history;
  }, 30_000);
  expect(week.zone).toBe("Europe/Berlin");
  const sunday = 6 * 24;
  expect(week.week[9]).toMatchObject({ bytesPerSecond: 2 * MIB });
  expect(week.week[sunday + 3]).toMatchObject({ bytesPerSecond: 0, typicalQuietMs: HOUR });
  expect(week.gaps[0]).toMatchObject({ lengthMs: HOUR + 20_000, open: false });
  // The same hour has another name elsewhere.
  const there = await client.history.volume.query({ hostId, volume: "db", zone: "Asia/Tokyo" });
  expect(there.week[sunday + 12]).toMatchObject({ bytesPerSecond: 0, typicalQuietMs: HOUR });
  const { hours } = await client.history.quietHours.query({ hostId, volumes: ["data", "db"], zone: "UTC" });
  expect(hours[0]).toMatchObject({ hour: sunday + 3, quietMs: HOUR, bytesPerSecond: 0, weeks: 2 });
  const measures = await client.history.measures.query({ hostId });
  expect(measures.map(({ name }) => name)).toEqual(["data", "db"]);
  expect(measures[1]?.windows.find(({ lengthMs }) => lengthMs === HOUR)?.bytes).toBe(2 * MIB * 3600);
});

test("a volume of which nothing was measured has an empty history, and an unknown time zone is refused", async () => {
  const nothing = await client.history.volume.query({ hostId, volume: "data", zone: "UTC" });
  expect(nothing).toMatchObject({ zone: null, measuredMs: 0, gaps: [] });
  expect(nothing.week).toHaveLength(168);
  expect(await client.history.measures.query({ hostId })).toEqual([]);
  await expect(client.history.volume.query({ hostId, volume: "data", zone: "Mars/Base" })).rejects.toThrow("zone");
});

test("a failed job is moved to the hour in which its volumes rest, on its own days; not before any is known", async () => {
  await eventually(async () => (await client.volumes.list.query({})).length === 2);
  const nightly = jobInput(hostId, "Nightly", ["data", "db"], {
    schedule: { kind: "daily", times: ["14:00"], days: ["sat", "sun"], zone: "UTC", graceMinutes: 60 },
  });
  const { id } = await client.jobs.create.mutate(nightly);
  const { runId } = await client.jobs.run.mutate({ id });
  const at = new Date().toISOString();
  worker.emit(
    runId,
    started("data", "db"),
    {
      type: "failure",
      at,
      code: "OFO-QUIET",
      volume: null,
      message: "no gap",
      evidence: { minimumMs: 5000, timeoutMs: 60_000, longestGapMs: 800 },
    },
    { type: "ended", at, outcome: "failed", code: "OFO-QUIET" },
  );
  const [failure] = await eventually(async () => {
    const found = await client.failures.list.query({ runId });
    return found.length > 0 && found;
  });
  const move = () => client.failures.act.mutate({ id: failure?.id ?? "", action: "quietHour" });
  await expect(move()).rejects.toThrow("not measured for long enough");

  const from = thisHour() - 7 * DAY;
  tell([...officeWeeks("data", from, from + 7 * DAY, MIB), ...officeWeeks("db", from, from + 7 * DAY, MIB)]);
  await eventually(async () => {
    const { measuredMs } = await client.history.quietHours.query({ hostId, volumes: ["data", "db"], zone: "UTC" });
    return measuredMs >= 7 * DAY;
  }, 30_000);
  // On Saturdays that hour is like any other: what both days have in common counts.
  const { message } = await move();
  expect(message).toMatch(
    /^From now on the job starts Saturday and Sunday at \d\d:00 \(UTC\): its volumes rested for 20 s/,
  );
  const { schedule } = await client.jobs.get.query({ id });
  expect(schedule).toMatchObject({ kind: "daily", days: ["sat", "sun"], times: ["03:00"], zone: "UTC" });
  await expect(move()).rejects.toThrow("at its quietest hour already");

  // Without a schedule it gets the hour of the week.
  await client.jobs.update.mutate({ id, job: { ...nightly, schedule: null } });
  await client.failures.act.mutate({ id: failure?.id ?? "", action: "quietHour" });
  expect((await client.jobs.get.query({ id })).schedule).toMatchObject({ kind: "daily", days: ["sun"] });
});

test("a practice volume that is made again under the same name begins a history of its own", async () => {
  const practice = { ...volume("alpha"), practice: true };
  const lists = async (...names: string[]) =>
    eventually(
      async () =>
        JSON.stringify((await client.volumes.list.query({})).map(({ name }) => name)) === JSON.stringify(names),
    );
  const told = (i: number) =>
    tell(["alpha", "data"].map((name) => ({ volume: name, ...stretch(thisHour() + i * 10_000, 10_000, 4096, 500) })));
  const measured = async (name: string) =>
    (await client.history.volume.query({ hostId, volume: name, zone: "UTC" })).measuredMs > 0;
  worker.volumes([practice, volume("data")]);
  await lists("alpha", "data");
  told(0);
  await eventually(() => measured("alpha"));
  worker.volumes([volume("data")]);
  await lists("data");
  worker.volumes([practice, volume("data")]);
  await lists("alpha", "data");
  await eventually(async () => !(await measured("alpha")));
  expect(await measured("data")).toBe(true);
  told(1);
  await eventually(() => measured("alpha"));
  expect(kept()[0]).toMatchObject({ rows: 3 });
});
