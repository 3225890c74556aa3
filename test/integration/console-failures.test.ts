/** Failures of one kind, acknowledged and settled, over the real API. The worker is a scripted peer. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RunEvent } from "@/server/core/contracts/run";
import { ADMINISTRATOR, eventually } from "../fixtures/console-under-test";
import { goingWell, jobInput, started, volume } from "../fixtures/link-documents";
import { type LinkedConsole, linkedConsole } from "../fixtures/linked-console";

let linked: LinkedConsole;
let { it, worker, client, hostId } = {} as LinkedConsole;
let jobId: string;

beforeEach(async () => {
  linked = await linkedConsole(volume("data"), volume("db"));
  ({ it, worker, client, hostId } = linked);
  ({ id: jobId } = await client.jobs.create.mutate(jobInput(hostId, "Nightly", ["data", "db"])));
});
afterEach(() => linked?.remove());

const failing = (...volumes: (string | null)[]): RunEvent[] => {
  const at = new Date().toISOString();
  return [
    ...volumes.map(
      (name): RunEvent => ({
        type: "failure",
        at,
        code: "SF-103",
        volume: name,
        message: "torn",
        evidence: { exitCode: 7 },
      }),
    ),
    { type: "ended", at, outcome: "failed", code: "SF-103" },
  ];
};

/** Runs the job to this end. */
async function run(...events: RunEvent[]): Promise<void> {
  const { runId } = await client.jobs.run.mutate({ id: jobId });
  worker.emit(runId, started("data", "db"), ...events);
  await eventually(() => worker.outbox.length === 0);
}
const groups = async (state: "attention" | "acknowledged" | "resolved" | "all" = "attention") =>
  (await client.failures.groups.query({ state })).items;
const attention = async () => (await client.failures.attention.query()).groups;

test("a failure that is acknowledged stays so when it happens again, and settles when the job succeeds", async () => {
  await run(...failing("data"));
  await run(...failing("data", "db"));
  expect((await groups()).map(({ newest, open, times }) => [newest.volume, open, times]).sort()).toEqual([
    ["data", 2, 2],
    ["db", 1, 1],
  ]);
  expect(await attention()).toBe(2);

  const data = (await groups()).find(({ newest }) => newest.volume === "data");
  const id = data?.newest.id ?? "";
  const acknowledged = await client.failures.acknowledge.mutate({ id, note: " a new disk is on its way " });
  expect(acknowledged.acknowledgement).toMatchObject({ by: ADMINISTRATOR.email, note: "a new disk is on its way" });
  await run(...failing("data"));
  expect(await attention()).toBe(1);
  expect(await groups("acknowledged")).toMatchObject([
    { open: 3, acknowledgement: { note: "a new disk is on its way" } },
  ]);
  expect((await client.overview.get.query()).failures).toHaveLength(1);

  // From any failure of the kind, also an older one.
  expect((await client.failures.takeBack.mutate({ id })).acknowledgement).toBeNull();
  expect(await attention()).toBe(2);
  await client.failures.acknowledge.mutate({ id });

  await run(...goingWell("data", "db"));
  expect(await attention()).toBe(0);
  expect(await groups("acknowledged")).toEqual([]);
  expect((await groups("resolved")).map(({ resolved }) => resolved)).toEqual([true, true]);
  await expect(client.failures.acknowledge.mutate({ id })).rejects.toThrow("resolved");

  // It begins anew: nobody has acknowledged this.
  await run(...failing("data"));
  expect(await groups()).toMatchObject([{ open: 1, times: 4, acknowledgement: null }]);
});

test("who acknowledged and who took it back stands in the audit log", async () => {
  await run(...failing(null));
  const id = (await groups())[0]?.newest.id ?? "";
  await client.failures.acknowledge.mutate({ id, note: "known" });
  await client.failures.takeBack.mutate({ id });
  const entries = (await client.audit.list.query({})).filter(({ action }) => action.startsWith("failures."));
  expect(entries).toMatchObject([
    { action: "failures.takeBack", subject: "SF-103 of Nightly", before: { acknowledgement: { note: "known" } } },
    { action: "failures.acknowledge", by: ADMINISTRATOR.email, after: { acknowledgement: { note: "known" } } },
  ]);
});

test("a viewer sees who acknowledged, and cannot do it", async () => {
  await run(...failing("data"));
  const viewer = it.client(await it.signUpAs("viewer", await it.signIn()));
  const [group] = (await viewer.failures.groups.query({})).items;
  await expect(viewer.failures.acknowledge.mutate({ id: group?.newest.id ?? "" })).rejects.toThrow("role operator");
});

test("the cache of a job moves to an allowed location with room, and grows no further than that", async () => {
  const GIB = 1024 ** 3;
  const place = { mount: "/", totalBytes: 40 * GIB, reservedBytes: GIB, usedBytes: 0, snapshots: [], orphans: [] };
  worker.answers["cache.list"] = () => [
    { ...place, path: "/small", freeBytes: 2 * GIB },
    { ...place, path: "/large", freeBytes: 21 * GIB },
  ];
  const at = new Date().toISOString();
  const full = { type: "failure", at, code: "a000851c", volume: "data", message: "full" } as const;
  await run(
    { ...full, evidence: { cause: "maximumReached", maxBytes: GIB } },
    { type: "ended", at, outcome: "failed", code: "a000851c" },
  );
  const id = (await groups())[0]?.newest.id ?? "";
  const move = (location: string | null, maxBytes: number | null) =>
    client.failures.act.mutate({ id, action: "placeCache", cache: { location, maxBytes } });
  await expect(move("/elsewhere", null)).rejects.toThrow("not among the allowed locations");
  await expect(move("/small", 2 * GIB)).rejects.toThrow("room for 1.0 GiB only");
  expect((await move("/large", 20 * GIB)).message).toContain("kept in /large, up to 20.0 GiB each");
  const cache = async () => (await client.jobs.list.query())[0]?.openFile.cache;
  expect(await cache()).toMatchObject({ location: "/large", maxBytes: 20 * GIB });
  expect((await client.audit.list.query({}))[0]).toMatchObject({
    action: "failures.act",
    before: { openFile: { cache: { location: null } } },
    after: { openFile: { cache: { location: "/large" } } },
  });
});

test("writes to paths that the evidence names, and to no others, are ignored beside those that are ignored already", async () => {
  await client.settings.set.mutate({ openFile: { quiet: { ignorePaths: ["/data/log/old", "/var/spool"] } } });
  await client.jobs.update.mutate({ id: jobId, job: { ...jobInput(hostId, "Nightly", ["data"]), openFile: {} } });
  const at = new Date().toISOString();
  const writers = [
    { pid: 7, command: "logger", writes: 40, paths: ["/data/log/a.log", "/data/index"] },
    { pid: 8, command: "idle", writes: null, paths: ["/data/open", "/top"] },
  ];
  await run(
    {
      ...{ type: "failure", at, code: "OFO-QUIET", volume: null, message: "no gap" },
      evidence: { minimumMs: 250, timeoutMs: 1000, writers },
    },
    { type: "ended", at, outcome: "failed", code: "OFO-QUIET" },
  );
  const id = (await groups())[0]?.newest.id ?? "";
  const ignore = (...ignorePaths: string[]) => client.failures.act.mutate({ id, action: "ignorePaths", ignorePaths });
  for (const elsewhere of ["/", "/etc/passwd", "/data/log/b.log"])
    await expect(ignore(elsewhere)).rejects.toThrow("evidence does not name");
  await expect(ignore()).rejects.toThrow("Choose at least one path");
  expect((await ignore("/data/log", "/data/open")).message).toMatch(
    /^Writes to 2 paths are ignored from now on; the job/,
  );
  const quiet = { ignorePaths: ["/var/spool", "/data/log", "/data/open"] };
  expect((await client.jobs.list.query())[0]?.openFile).toMatchObject({ quiet: { ...quiet, minimumMs: "inherit" } });
  expect((await client.audit.list.query({}))[0]).toMatchObject({
    action: "failures.act",
    before: { openFile: { quiet: { ignorePaths: "inherit" } } },
    after: { openFile: { quiet } },
  });
});

test("a job that released its snapshot holds its writers from then on, for as long as it or the settings say", async () => {
  await client.jobs.update.mutate({ id: jobId, job: { ...jobInput(hostId, "Nightly", ["data"]), openFile: {} } });
  await client.settings.set.mutate({ openFile: { cache: { holdMs: 1500 } } });
  const at = new Date().toISOString();
  const full = { type: "failure", at, code: "a000851c", volume: "data", message: "full" } as const;
  await run(
    { ...full, evidence: { cause: "maximumReached", maxBytes: 2 ** 20, whenFull: "release" } },
    { type: "ended", at, outcome: "failed", code: "a000851c" },
  );
  const id = (await groups())[0]?.newest.id ?? "";
  const { message, runId } = await client.failures.act.mutate({ id, action: "holdWriters" });
  expect(message).toContain("wait for room, for at most 1.5 s; the job runs again");
  expect((await client.jobs.get.query({ id: jobId })).openFile.cache).toMatchObject({
    whenFull: "hold",
    holdMs: "inherit",
  });
  expect(worker.received.findLast((m) => m.type === "request" && m.method === "run.start")).toMatchObject({
    params: { runId, openFile: { cache: { whenFull: "hold", holdMs: 1500 } } },
  });
  await expect(client.failures.act.mutate({ id, action: "holdWriters" })).rejects.toThrow("holds writers already");
});

test("a worker that is restarted from here is told as restarted once it is connected again", async () => {
  await expect(client.hosts.restartWorker.mutate({ hostId })).rejects.toThrow("no answer to host.restart");
  worker.answers["host.restart"] = () => {
    setImmediate(() => {
      worker.drop();
      void worker.connect(it.origin, it.hostKey);
    });
    return {};
  };
  const { message } = await client.hosts.restartWorker.mutate({ hostId });
  expect(message).toMatch(/was restarted and is connected again/);
  expect((await client.hosts.list.query())[0]).toMatchObject({ connected: true });
  const entries = (await client.audit.list.query({})).filter(({ action }) => action === "hosts.restartWorker");
  expect(entries.map(({ outcome }) => outcome)).toEqual(["done", "failed"]);
});

test("a repair answers part by part, and the audit log keeps what it did", async () => {
  const check = { name: "cache files", ok: true, required: true, detail: "2 orphaned files removed", fix: null };
  worker.answers["host.repair"] = () => ({ ok: true, checks: [check] });
  expect(await client.hosts.repair.mutate({ hostId })).toEqual({ ok: true, checks: [check] });
  expect((await client.audit.list.query({}))[0]).toMatchObject({
    action: "hosts.repair",
    after: { "cache files": "2 orphaned files removed" },
  });
});
