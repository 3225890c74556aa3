/** Lists as the console answers them, from a database with thousands of runs; jobs that are paused. */
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "@/server/console/data/database";
import type { Run } from "@/server/core/contracts/run";
import { ADMINISTRATOR, ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { jobInput, volume } from "../fixtures/link-documents";
import { ScriptedWorker } from "../fixtures/scripted-worker";
import { insertRuns } from "../seed/seed";

const RUNS = 5000;

let it: ConsoleUnderTest;
let worker: ScriptedWorker;
let client: ReturnType<ConsoleUnderTest["client"]>;
let hostId: string;
const jobIds: string[] = [];

beforeAll(async () => {
  it = new ConsoleUnderTest();
  await it.start();
  client = it.client(await it.signUp());
  worker = new ScriptedWorker();
  ({ hostId } = await worker.connect(it.origin, it.hostKey));
  worker.volumes([volume("data"), volume("db")]);
  await eventually(async () => (await client.volumes.list.query({})).length === 2);
  for (const name of ["Job 2", "Job 10", "Weekly"]) {
    jobIds.push((await client.jobs.create.mutate(jobInput(hostId, name, ["data"]))).id);
  }
  await fillRuns();
});
afterAll(async () => {
  worker.drop();
  await it.remove();
});

const outcomes = ["succeeded", "failed", "warnings", "cancelled", "interrupted"] as const;

/** Run N is of the jobs in turn, took N seconds, and ended in each way in turn. */
async function fillRuns(): Promise<void> {
  const runs = Array.from({ length: RUNS }, (_, i) => {
    const number = i + 1;
    const startedAt = new Date(Date.UTC(2026, 0, 1) + number * 60_000);
    const state = outcomes[number % outcomes.length] ?? "failed";
    const run: Run = {
      id: `run-${number}`,
      number,
      job: { id: jobIds[number % 2] ?? "", name: number % 2 === 0 ? "Job 2" : "Job 10" },
      hostId,
      mode: "allAtOnce",
      state,
      code: state === "failed" ? "SF-103" : null,
      startedAt: startedAt.toISOString(),
      endedAt: new Date(startedAt.getTime() + number * 1000).toISOString(),
      volumes: [],
    };
    return { run, spec: {}, createdAt: startedAt.toISOString(), events: [] };
  });
  const db = await openDatabase(path.dirname(it.databaseFile));
  try {
    await insertRuns(db, runs);
  } finally {
    await db.$disconnect();
  }
}

const numbers = async (query: Parameters<typeof client.runs.page.query>[0]) =>
  (await client.runs.page.query(query)).items.map(({ number }) => number);

test("five thousand runs come by the page, in the order that is asked for", async () => {
  const first = await client.runs.page.query({});
  expect(first).toMatchObject({ page: 1, pages: 100, first: 1, total: RUNS, all: RUNS });
  expect(first.items.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, i) => RUNS - i));
  expect((await numbers({ page: 2 }))[0]).toBe(RUNS - 50);
  expect((await numbers({ page: 9999 })).at(-1)).toBe(1);
  expect((await numbers({ sort: "oldest" }))[0]).toBe(1);
  expect((await numbers({ sort: "longest", result: "failed" }))[0]).toBe(4996);
  expect((await client.runs.page.query({ sort: "job" })).items[0]).toMatchObject({ job: { name: "Job 10" } });
});

test("runs are found by job, number, code, result and host; an empty answer says how many there are", async () => {
  expect(await client.runs.page.query({ result: "failed" })).toMatchObject({ total: RUNS / 5 });
  expect(await client.runs.page.query({ text: "job sf-103", jobId: jobIds[0] ?? "" })).toMatchObject({
    total: RUNS / 10,
  });
  expect(await numbers({ text: "4321" })).toEqual([4321]);
  expect(await client.runs.page.query({ hostId: "another" })).toMatchObject({
    items: [],
    total: 0,
    all: RUNS,
    pages: 1,
  });
  expect(await numbers({ text: "50% _ '" })).toEqual([]);
  expect(await numbers({ result: "active" })).toEqual([]);
});

test("what is not in a list's vocabulary is refused", async () => {
  await expect(client.runs.page.query({ sort: "upwards" as "newest" })).rejects.toThrow();
  await expect(client.runs.page.query({ page: 0 })).rejects.toThrow();
});

test("jobs are listed in the order of their names as a person counts, and found by how their last run went", async () => {
  const names = async (query: Parameters<typeof client.jobs.page.query>[0]) =>
    (await client.jobs.page.query(query)).items.map(({ name }) => name);
  expect(await names({})).toEqual(["Job 2", "Job 10", "Weekly"]);
  expect(await names({ sort: "latest" })).toEqual(["Job 2", "Job 10", "Weekly"]);
  expect(await names({ result: "never" })).toEqual(["Weekly"]);
  expect(await names({ result: "succeeded" })).toEqual(["Job 2"]);
  expect(await names({ text: "DATA week" })).toEqual(["Weekly"]);
});

test("a job that is paused is started by nobody until it is continued; both stand in the audit log", async () => {
  const id = jobIds[2] ?? "";
  await client.jobs.setPaused.mutate({ id, paused: true });
  expect(await client.jobs.get.query({ id })).toMatchObject({ paused: true });
  expect((await client.jobs.page.query({ result: "paused" })).items.map(({ name }) => name)).toEqual(["Weekly"]);
  await expect(client.jobs.run.mutate({ id })).rejects.toThrow("“Weekly” is paused. Continue it first.");
  // Changing a job leaves it paused.
  await client.jobs.update.mutate({ id, job: jobInput(hostId, "Weekly", ["db"]) });
  await expect(client.jobs.run.mutate({ id })).rejects.toThrow("paused");
  await client.jobs.setPaused.mutate({ id, paused: false });
  const { runId } = await client.jobs.run.mutate({ id });
  expect((await client.runs.page.query({ result: "active" })).items.map((run) => run.id)).toEqual([runId]);
  const entries = (await client.audit.list.query({})).filter(({ action }) => action === "jobs.setPaused");
  expect(entries).toMatchObject([
    { subject: "Weekly", before: { paused: true }, after: { paused: false } },
    { subject: "Weekly", before: { paused: false }, after: { paused: true }, by: ADMINISTRATOR.email },
  ]);
});

test("jobs and volumes are found by words of their names, a job also by what can be done with it", async () => {
  const found = async (text: string) => {
    const { jobs, volumes } = await client.search.find.query({ text });
    return [jobs.map(({ name }) => name), volumes.map(({ name }) => name)];
  };
  expect(await found("")).toEqual([
    ["Job 2", "Job 10", "Weekly"],
    ["data", "db"],
  ]);
  expect(await found("10 JOB")).toEqual([["Job 10"], []]);
  expect(await found("run weekly")).toEqual([["Weekly"], []]);
  expect(await found("db")).toEqual([[], ["db"]]);
  // By a run's page: a job that was removed is none.
  expect(await client.jobs.named.query({ id: jobIds[0] ?? "" })).toMatchObject({ name: "Job 2" });
  expect(await client.jobs.named.query({ id: "gone" })).toBeNull();
});
