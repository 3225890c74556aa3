/**
 * Fills a console's database with a company's worth of hosts, jobs and runs, through the console's own stores and its
 * run's state machine, so that what is there is what the console would have stored itself. Runs are inserted many at
 * once: one by one five thousand would take minutes.
 */
import { createHash, randomUUID } from "node:crypto";
import path from "node:path";
import { type Database, openDatabase } from "@/server/console/data/database";
import { HostStore } from "@/server/console/data/hosts";
import { JobStore } from "@/server/console/data/jobs";
import { failureRow } from "@/server/console/data/run-events";
import type { RunSpec } from "@/server/core/contracts/job";
import type { Run, RunEvent } from "@/server/core/contracts/run";
import { defaultSettings } from "@/server/core/contracts/settings";
import { initialRun, reduce } from "@/server/core/runs/reduce";
import { effectiveOpenFile } from "@/server/core/settings/effective-open-file";
import { Random } from "../soak/random";
import { hostName, job, runEvents, volumesOf } from "./plausible";

export type SeedSize = { hosts: number; jobs: number; runs: number };
export type StoredRun = { run: Run; spec: object; createdAt: string; events: RunEvent[] };

const PERIOD_MS = 90 * 86_400_000;
const AT_ONCE = 500;

/** Fills the database of a home whose console does not run. Throws if there is anything in it and `more` is not set. */
export async function seed(home: string, size: SeedSize, { more = false } = {}): Promise<void> {
  const db = await openDatabase(path.join(home, "console"));
  try {
    if (!more) await refuseUsed(db);
    const random = new Random("seed");
    const hosts = await seedHosts(db, size.hosts, random);
    const specs = await seedJobs(db, size.jobs, hosts, random);
    await seedRuns(db, size.runs, specs, random);
  } finally {
    await db.$disconnect();
  }
}

async function refuseUsed(db: Database): Promise<void> {
  const counts = await Promise.all([db.host.count(), db.job.count(), db.run.count(), db.user.count()]);
  if (counts.some((count) => count > 0)) throw new Error("the database is not empty");
}

type SeededHost = Awaited<ReturnType<typeof seedHosts>>[number];

async function seedHosts(db: Database, count: number, random: Random) {
  const store = new HostStore(db);
  const made = [];
  for (let i = 0; i < count; i++) {
    const host = { id: randomUUID(), name: hostName(i), volumes: volumesOf(random) };
    const keyHash = createHash("sha256").update(randomUUID()).digest("hex");
    await store.create({ id: host.id, name: host.name, hostname: `${host.name}.example.net`, keyHash });
    const facts = {
      hostname: `${host.name}.example.net`,
      version: "0.1.0",
      kernel: "6.12.0",
      timeZone: "Europe/Berlin",
    };
    await store.greeted(host.id, facts, randomUUID(), new Date());
    await store.saveVolumes(host.id, host.volumes, new Date());
    made.push(host);
  }
  return made;
}

async function seedJobs(db: Database, count: number, hosts: readonly SeededHost[], random: Random) {
  const store = new JobStore(db);
  const specs: { hostId: string; spec: Omit<RunSpec, "runId"> }[] = [];
  for (let i = 0; i < count; i++) {
    const host = hosts[i % hosts.length];
    if (!host) throw new Error("jobs need a host");
    const { password: _, ...input } = job(i, host, random);
    const jobId = randomUUID();
    await store.save(jobId, input, undefined, null);
    const mode = input.openFile.oneAtATime === "on" ? "oneAtATime" : "allAtOnce";
    const { name: jobName, selection, hooks, destination } = input;
    const openFile = effectiveOpenFile(input.openFile, defaultSettings);
    specs.push({
      hostId: host.id,
      spec: { jobId, jobName, mode, selection, openFile, hooks, destination, password: null },
    });
  }
  return specs;
}

async function seedRuns(
  db: Database,
  count: number,
  jobs: readonly { hostId: string; spec: Omit<RunSpec, "runId"> }[],
  random: Random,
): Promise<void> {
  const { _max } = await db.run.aggregate({ _max: { number: true } });
  const begin = Date.now() - PERIOD_MS;
  let batch: StoredRun[] = [];
  for (let i = 0; i < count; i++) {
    const one = jobs[random.whole(0, jobs.length - 1)];
    if (!one) throw new Error("runs need a job");
    const { password, ...kept } = { ...one.spec, runId: randomUUID() };
    // The last ones have had time to end.
    const at = begin + ((PERIOD_MS - 86_400_000) * i) / count;
    const events = runEvents({ ...kept, password }, at, random);
    const queued = initialRun({ ...kept }, { number: (_max.number ?? 0) + i + 1, hostId: one.hostId });
    batch.push({ run: events.reduce(reduce, queued), spec: kept, createdAt: new Date(at).toISOString(), events });
    if (batch.length === AT_ONCE || i === count - 1) {
      await insertRuns(db, batch);
      batch = [];
    }
  }
}

/** Ended runs with their events and failures, by few statements. A later success of the same job settles a failure. */
export async function insertRuns(db: Database, runs: readonly StoredRun[]): Promise<void> {
  const rows = JSON.stringify(runs.map(({ run, spec, createdAt }) => ({ run, spec, createdAt })));
  await db.$executeRaw`
    INSERT INTO "Run" ("id", "number", "jobId", "hostId", "active", "createdAt", "spec", "state")
    SELECT value ->> '$.run.id', value ->> '$.run.number', value ->> '$.run.job.id', value ->> '$.run.hostId', 0,
      value ->> '$.createdAt', value -> 'spec', value -> 'run'
    FROM json_each(${rows})`;
  const events = JSON.stringify(
    runs.flatMap(({ run, events: told }) => told.map((event, i) => ({ runId: run.id, position: i + 1, event }))),
  );
  await db.$executeRaw`
    INSERT INTO "RunEvent" ("runId", "position", "event")
    SELECT value ->> 'runId', value ->> 'position', value -> 'event' FROM json_each(${events})`;
  const failures = runs.flatMap(({ run, events: told }) =>
    told.flatMap((event) => (event.type === "failure" ? [{ run, event }] : [])),
  );
  for (const { run, event } of failures) await db.failure.create({ data: failureRow(run, event) });
  await db.$executeRaw`
    UPDATE "Failure" SET "resolvedAt" = (
      SELECT MIN(later."createdAt") FROM "Run" AS own JOIN "Run" AS later ON later."jobId" = own."jobId"
      WHERE own."id" = "Failure"."runId" AND later."number" > own."number" AND later."result" IN ('succeeded', 'warnings')
    ) WHERE "resolvedAt" IS NULL`;
}
