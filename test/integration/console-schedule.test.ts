/**
 * Jobs that start by their schedules: a real console on a real database, partly as a process of its own. Nobody waits
 * for a time to come: a job's next time is moved in the database while the console is down, or the schedule's clock is
 * set. The worker is a scripted peer (it says why in its own file).
 */
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hooksSchema } from "@/server/core/contracts/hooks";
import { workerFeatures } from "@/server/core/contracts/link";
import type { Schedule } from "@/server/core/contracts/schedule";
import { scheduleSchema } from "@/server/core/contracts/schedule";
import { ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { goingWell, jobInput, started, volume } from "../fixtures/link-documents";
import { Refusal, ScriptedWorker } from "../fixtures/scripted-worker";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let it: ConsoleUnderTest;
let worker: ScriptedWorker;
let client: ReturnType<ConsoleUnderTest["client"]>;
let hostId: string;
/** The schedule's clock, for a console in this process. */
let clock: Date;

beforeEach(async () => {
  clock = new Date("2026-03-10T12:00:00Z");
  it = new ConsoleUnderTest();
  await it.start({}, () => clock);
  client = it.client(await it.signUp());
  worker = new ScriptedWorker();
  ({ hostId } = await worker.connect(it.origin, it.hostKey));
  worker.volumes([volume("data"), volume("db")]);
  await eventually(async () => (await client.volumes.list.query({})).length === 2);
});
afterEach(async () => {
  worker.drop();
  await it.remove();
});

const schedule = (times: string[], more: Partial<Schedule> = {}): Schedule =>
  scheduleSchema.parse({ kind: "daily", times, zone: "Europe/Berlin", ...more });
/** Twelve hours away from the present time on both sides, whenever this runs. */
const farFromNow = (): Schedule =>
  schedule([new Date(Date.now() + 12 * HOUR_MS).toISOString().slice(11, 16)], { zone: "UTC" });
const makeJob = (name: string, volumes: string[], when: Schedule | null) =>
  client.jobs.create.mutate(jobInput(hostId, name, volumes, { schedule: when }));
const jobOf = (id: string) => client.jobs.get.query({ id });
const runsOf = (jobId: string) => client.runs.list.query({ jobId });
const startsOf = (jobId: string) =>
  worker.received.filter(
    (m) => m.type === "request" && m.method === "run.start" && (m.params as { jobId: string }).jobId === jobId,
  ).length;
const ring = async () => {
  worker.drop();
  await worker.connect(it.origin, it.hostKey);
};
const finish = (runId: string, name: string) => worker.emit(runId, started(name), ...goingWell(name));

/** What is asked first after a restart may still go out on a connection to the console before. */
const eventuallyReads = (look: () => Promise<unknown>) => eventually(() => look().catch(() => false));

/** While the console is down: as if the job's next start had been due then. */
function setNextRunAt(jobId: string, at: Date): void {
  const db = new Sqlite(it.databaseFile);
  try {
    const { changes } = db
      .prepare(`UPDATE "Job" SET "nextRunAt" = ? WHERE "id" = ?`)
      .run(at.toISOString().replace("Z", "+00:00"), jobId);
    expect(changes).toBe(1);
  } finally {
    db.close();
  }
}

test("a job tells its next start; paused, or without a schedule, it has none", async () => {
  const { id, nextRunAt } = await makeJob("Nightly", ["data"], schedule(["02:00"]));
  expect(nextRunAt).toBe("2026-03-11T01:00:00.000Z");
  await client.jobs.setPaused.mutate({ id, paused: true });
  expect(await jobOf(id)).toMatchObject({ nextRunAt: null });
  await client.jobs.setPaused.mutate({ id, paused: false });
  expect(await jobOf(id)).toMatchObject({ nextRunAt: "2026-03-11T01:00:00.000Z" });
  const change = (when: Schedule | null) =>
    client.jobs.update.mutate({ id, job: jobInput(hostId, "Nightly", ["data"], { schedule: when }) });
  expect(await change(schedule(["14:30"]))).toMatchObject({ nextRunAt: "2026-03-10T13:30:00.000Z" });
  expect(await change(null)).toMatchObject({ nextRunAt: null, schedule: null });
  await expect(
    change(scheduleSchema.parse({ kind: "cron", expression: "0 0 30 2 *", zone: "UTC" })),
  ).rejects.toMatchObject({ data: { fault: { kind: "invalid", field: "schedule" } } });
});

test("without a zone of its own a schedule follows the host's, also when that becomes another", async () => {
  const { id } = await makeJob("Nightly", ["data"], schedule(["02:00"], { zone: null }));
  worker.timeZone = "Asia/Tokyo";
  await ring();
  await eventually(async () => (await jobOf(id)).nextRunAt === "2026-03-10T17:00:00.000Z");
  worker.timeZone = "Europe/Berlin";
  await ring();
  await eventually(async () => (await jobOf(id)).nextRunAt === "2026-03-11T01:00:00.000Z");
});

test("what came due while the console was down starts once when its host is there, also if the console is killed", async () => {
  const { id } = await makeJob("Nightly", ["data"], farFromNow());
  worker.drop();
  await it.stop();
  const dueAt = new Date(Date.now() - 10 * MINUTE_MS);
  setNextRunAt(id, dueAt);
  await it.startProcess();
  // The host is not there yet: it waits, and says for what.
  await eventuallyReads(async () => (await jobOf(id)).waitingFor?.includes("does not answer"));
  expect(await runsOf(id)).toEqual([]);
  await worker.connect(it.origin, it.hostKey);
  await eventually(() => startsOf(id) === 1);
  const [run] = await runsOf(id);
  expect(run).toMatchObject({ number: 1, startedBy: "schedule", dueAt: dueAt.toISOString(), state: "queued" });
  expect(Date.parse((await jobOf(id)).nextRunAt ?? "")).toBeGreaterThan(Date.now());
  const { events } = await client.runs.get.query({ id: run?.id ?? "" });
  expect(events[0]?.event).toMatchObject({ type: "log", text: expect.stringMatching(/^due at .* started 1\d min/) });
  await eventually(async () => (await audited()).length === 1);
  expect(await audited()).toMatchObject([{ by: "schedule", subject: "Nightly", outcome: "done", role: null }]);

  await it.kill();
  await it.start();
  await worker.connect(it.origin, it.hostKey);
  finish(run?.id ?? "", "data");
  await eventuallyReads(async () => (await runsOf(id))[0]?.state === "succeeded");
  expect(startsOf(id)).toBe(1);
  expect(await runsOf(id)).toHaveLength(1);
});

const audited = async () => (await client.audit.list.query({})).filter(({ action }) => action === "jobs.run");

test("a start beyond its grace is one failure, and the schedule goes on", async () => {
  const { id } = await makeJob("Nightly", ["data"], schedule(["02:00"]));
  worker.drop();
  await it.stop();
  clock = new Date("2026-03-13T12:00:00Z");
  await it.start({}, () => clock);
  await eventuallyReads(async () => (await runsOf(id)).some(({ state }) => state === "failed"));
  expect(await runsOf(id)).toMatchObject([
    { state: "failed", code: "SF-107", startedBy: "schedule", dueAt: "2026-03-13T01:00:00.000Z" },
  ]);
  const [group] = (await client.overview.get.query()).failures;
  expect(group?.newest.message).toMatch(/^3 runs that were due .* the console was not running\.$/);
  expect(await client.failures.get.query({ id: group?.newest.id ?? "" })).toMatchObject({
    evidence: { cause: "consoleDown", times: 3, firstAt: "2026-03-11T01:00:00.000Z", graceMinutes: 60 },
  });
  expect(await jobOf(id)).toMatchObject({ nextRunAt: "2026-03-14T01:00:00.000Z" });
});

test("a host that stays away through the grace is told as such", async () => {
  const { id } = await makeJob("Nightly", ["data"], schedule(["14:00"]));
  worker.drop();
  await eventually(async () => !(await client.hosts.list.query())[0]?.connected);
  clock = new Date("2026-03-10T13:00:00Z");
  await makeJob("to ring the bell", ["db"], null);
  await eventually(async () => (await jobOf(id)).waitingFor !== null);
  clock = new Date("2026-03-10T14:00:01Z");
  await makeJob("to ring it again", ["db"], null);
  await eventually(async () => (await runsOf(id)).some(({ state }) => state === "failed"));
  expect(await runsOf(id)).toMatchObject([{ code: "OFO-COMM", dueAt: "2026-03-10T13:00:00.000Z" }]);
});

test("a start waits for its turn at a volume and behind its own last run, and two never overlap", async () => {
  const first = await makeJob("First", ["data"], schedule(["14:00"]));
  const second = await makeJob("Second", ["data"], schedule(["14:10"]));
  const { runId } = await client.jobs.run.mutate({ id: first.id });
  worker.emit(runId, started("data"));
  clock = new Date("2026-03-10T13:15:00Z");
  await ring();
  await eventually(async () => (await jobOf(first.id)).waitingFor?.includes("already running"));
  await eventually(async () => (await jobOf(second.id)).waitingFor?.includes("being backed up by “First”"));
  worker.emit(runId, ...goingWell("data"));
  // The earlier one goes first, and the other waits on.
  await eventually(() => startsOf(first.id) === 2);
  expect(startsOf(second.id)).toBe(0);
  await eventually(async () => (await jobOf(first.id)).waitingFor === null);
  finish((await runsOf(first.id))[0]?.id ?? "", "data");
  await eventually(() => startsOf(second.id) === 1);
  const [run] = await runsOf(second.id);
  expect(run).toMatchObject({ startedBy: "schedule", dueAt: "2026-03-10T13:10:00.000Z" });
  expect((await runsOf(first.id)).map(({ startedBy }) => startedBy)).toEqual(["schedule", "ada@example.net"]);
});

test("a volume that something else at the host holds is waited for, and no run is made of the tries", async () => {
  const { id } = await makeJob("Nightly", ["data"], schedule(["14:00"]));
  const takeUp = worker.answers["run.start"];
  worker.answers["run.start"] = () => {
    throw new Refusal({ kind: "conflict", message: "data is held by `stillframe exec`", field: null, code: null });
  };
  clock = new Date("2026-03-10T13:00:00Z");
  await ring();
  await eventually(async () => (await jobOf(id)).waitingFor?.includes("held by"));
  // Every look tries anew, and what it tried is gone after it.
  await eventually(async () => (await runsOf(id)).length === 0);
  await eventually(async () => (await jobOf(id)).nextRunAt === "2026-03-10T13:00:00.000Z");
  if (takeUp) worker.answers["run.start"] = takeUp;
  await ring();
  await eventually(async () => (await runsOf(id)).length === 1 && (await jobOf(id)).waitingFor === null);
  expect(await runsOf(id)).toMatchObject([{ number: 1, dueAt: "2026-03-10T13:00:00.000Z", state: "queued" }]);
});

test("a job that its host's worker is too old for waits for the upgrade, and is told as such beyond its grace", async () => {
  worker.drop();
  await eventually(async () => !(await client.hosts.list.query())[0]?.connected);
  worker.supports = [];
  await worker.connect(it.origin, it.hostKey);
  const hooks = hooksSchema.parse([{ at: "preFreeze", command: "true" }]);
  const make = async (name: string, on: string, at: string) =>
    client.jobs.create.mutate(jobInput(hostId, name, [on], { schedule: schedule([at]), hooks }));
  const [late, upgraded] = [await make("Late", "data", "14:00"), await make("Upgraded", "db", "15:00")];
  clock = new Date("2026-03-10T13:00:00Z");
  await ring();
  await eventually(async () => (await jobOf(late.id)).waitingFor?.includes("too old for “Late”"));
  clock = new Date("2026-03-10T14:00:01Z");
  await ring();
  await eventually(async () => (await runsOf(late.id)).some(({ state }) => state === "failed"));
  const failure = (await client.failures.list.query())[0];
  expect(await client.failures.get.query({ id: failure?.id ?? "" })).toMatchObject({
    code: "SF-107",
    evidence: { cause: "busy", times: 1, holder: expect.stringContaining("it does not know hooks") },
  });
  await eventually(async () => (await jobOf(upgraded.id)).waitingFor?.includes("too old for “Upgraded”"));
  expect(startsOf(upgraded.id)).toBe(0);
  worker.supports = [...workerFeatures];
  await ring();
  await eventually(() => startsOf(upgraded.id) === 1);
  expect(startsOf(late.id)).toBe(0);
});

test("a run that outlasts the grace of the next start makes that a failure which names it", async () => {
  const { id } = await makeJob("Nightly", ["data"], schedule(["14:00"], { graceMinutes: 30 }));
  const { runId } = await client.jobs.run.mutate({ id });
  worker.emit(runId, started("data"));
  clock = new Date("2026-03-10T13:00:00Z");
  await ring();
  await eventually(async () => (await jobOf(id)).waitingFor?.includes("already running"));
  clock = new Date("2026-03-10T13:31:00Z");
  await ring();
  await eventually(async () => (await runsOf(id)).some(({ state }) => state === "failed"));
  const failure = (await client.failures.list.query())[0];
  expect(failure?.message).toContain("“Nightly” is already running (run 1)");
  expect(await client.failures.get.query({ id: failure?.id ?? "" })).toMatchObject({
    code: "SF-107",
    evidence: { cause: "busy", times: 1 },
  });
  expect(startsOf(id)).toBe(1);
});
