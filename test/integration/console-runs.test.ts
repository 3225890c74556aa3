/**
 * Runs as a browser sees them: over the real API and WebSocket. The worker is a scripted peer (it says why in
 * its own file).
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RunFollow } from "@/server/core/contracts/views";
import { eventually } from "../fixtures/console-under-test";
import { goingWell, jobInput, logLine, sample, started, volume } from "../fixtures/link-documents";
import { type LinkedConsole, linkedConsole } from "../fixtures/linked-console";
import { Refusal } from "../fixtures/scripted-worker";

let linked: LinkedConsole;
let { it, worker, client, hostId } = {} as LinkedConsole;

beforeEach(async () => {
  linked = await linkedConsole(volume("data"), volume("db"), volume("mail"));
  ({ it, worker, client, hostId } = linked);
});
afterEach(() => linked?.remove());

const makeJob = (name: string, volumes: string[], more = {}) =>
  client.jobs.create.mutate(jobInput(hostId, name, volumes, more));
const startRun = async (name = "Nightly", volumes = ["data"]) => {
  const { id } = await makeJob(name, volumes);
  return (await client.jobs.run.mutate({ id })).runId;
};
const specsReceived = () =>
  worker.received.flatMap((m) =>
    m.type === "request" && m.method === "run.start" ? [m.params as { mode: string }] : [],
  );

test("a followed log has no gap and no repetition, through dropped sockets and a restart of the console", async () => {
  const runId = await startRun();
  worker.emit(runId, started("data"));
  const seen: RunFollow[] = [];
  let completed = false;
  client.runs.follow.subscribe(
    { id: runId },
    {
      onData: ({ data }) => seen.push(data),
      onComplete: () => {
        completed = true;
      },
    },
  );
  for (let i = 0; i < 120; i++) {
    worker.emit(runId, logLine(`line ${i}`));
    if (i === 60) {
      await it.stop();
      worker.emit(runId, logLine("while the console was down"));
      await it.start();
      await worker.connect(it.origin, it.hostKey);
    }
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  worker.emit(runId, ...goingWell("data"));
  await eventually(() => completed, 20_000);
  expect(seen.map(({ position }) => position)).toEqual(seen.map((_, i) => i + 1));
  expect(seen.filter(({ event }) => event.type === "log")).toHaveLength(121);
  expect(seen.at(-1)?.run).toMatchObject({ state: "succeeded", number: 1 });
  expect(seen.at(-1)?.run).toEqual((await client.runs.get.query({ id: runId })).run);
});

test("a page that already has a part of the log gets only the rest", async () => {
  const runId = await startRun();
  worker.emit(runId, started("data"), logLine("a"), logLine("b"), ...goingWell("data"));
  await eventually(() => worker.outbox.length === 0);
  const positions: number[] = [];
  await new Promise<void>((resolve, reject) => {
    client.runs.follow.subscribe(
      { id: runId, lastEventId: "2" },
      { onData: ({ data }) => positions.push(data.position), onComplete: resolve, onError: reject },
    );
  });
  expect(positions[0]).toBe(3);
  expect(positions).toHaveLength(goingWell("data").length + 1);
});

test("a job's own setting of one at a time wins over the global one", async () => {
  await client.settings.set.mutate({ oneAtATime: true });
  const inherits = await makeJob("inherits", ["data"]);
  const open = inherits.openFile;
  const off = await makeJob("off", ["db"], { openFile: { ...open, oneAtATime: "off" } });
  expect(inherits.effectiveMode).toBe("oneAtATime");
  expect(off.effectiveMode).toBe("allAtOnce");
  await client.jobs.run.mutate({ id: inherits.id });
  await client.jobs.run.mutate({ id: off.id });
  expect(specsReceived().map(({ mode }) => mode)).toEqual(["oneAtATime", "allAtOnce"]);
});

test("two runs never share a job or a volume, also when started in the same moment", async () => {
  const [a, b, other] = await Promise.all([makeJob("a", ["data", "db"]), makeJob("b", ["db"]), makeJob("c", ["mail"])]);
  const starts = await Promise.allSettled([a, a, b, other].map(({ id }) => client.jobs.run.mutate({ id })));
  expect(starts.filter((start) => start.status === "fulfilled")).toHaveLength(2);
  await expect(client.jobs.run.mutate({ id: a.id })).rejects.toMatchObject({ data: { fault: { kind: "conflict" } } });
  const numbers = (await client.runs.list.query({})).map(({ number }) => number);
  expect(numbers).toEqual([2, 1]);
});

test("a run that the worker refuses ends as failed and says why", async () => {
  worker.answers["run.start"] = () => {
    throw new Refusal({ kind: "busy", message: "data is held by `stillframe exec`", field: null, code: null });
  };
  const runId = await startRun();
  const { run, events } = await client.runs.get.query({ id: runId });
  expect(run.state).toBe("failed");
  expect(JSON.stringify(events)).toContain("held by `stillframe exec`");
});

test("a run whose start is not answered ends as failed, and is cancelled should the worker begin it after all", async () => {
  worker.silentOn.add("run.start");
  const runId = await startRun();
  const { run, events } = await client.runs.get.query({ id: runId });
  expect(run).toMatchObject({ state: "failed", code: "OFO-COMM" });
  const failure = events.flatMap(({ event }) => (event.type === "failure" ? [event] : []));
  expect(failure).toMatchObject([{ code: "OFO-COMM", evidence: { subject: "worker" } }]);

  const cancelled = () =>
    worker.received.filter(
      (m) => m.type === "request" && m.method === "run.cancel" && (m.params as { runId: string }).runId === runId,
    ).length;
  worker.answers["run.cancel"] = () => ({});
  worker.emit(runId, started("data"));
  await eventually(() => cancelled() === 1);
  worker.activeRuns.push(runId);
  worker.drop();
  await worker.connect(it.origin, it.hostKey);
  await eventually(() => cancelled() === 2);
  expect((await client.runs.get.query({ id: runId })).run).toMatchObject({ state: "failed", code: "OFO-COMM" });

  worker.silentOn.clear();
  const next = await client.jobs.run.mutate({ id: run.job.id });
  expect((await client.runs.get.query({ id: next.runId })).run.state).toBe("queued");
});

test("cancelling reaches the worker; a run that it does not know is ended here", async () => {
  const runId = await startRun();
  worker.answers["run.cancel"] = () => ({});
  await client.runs.cancel.mutate({ id: runId });
  expect(worker.received.some((m) => m.type === "request" && m.method === "run.cancel")).toBe(true);
  worker.answers["run.cancel"] = () => {
    throw new Refusal({ kind: "notFound", message: "no such run", field: null, code: null });
  };
  await client.runs.cancel.mutate({ id: runId });
  expect((await client.runs.get.query({ id: runId })).run.state).toBe("cancelled");
  await expect(client.runs.cancel.mutate({ id: runId })).rejects.toThrow("already ended");
});

test("live samples come at most five a second, latest wins, and the run keeps a history for its lanes", async () => {
  const runId = await startRun("Nightly", ["data", "db"]);
  worker.emit(runId, started("data", "db"));
  const batches: { at: number; cache: number[] }[] = [];
  const live = client.runs.samples.subscribe(
    { id: runId },
    { onData: (samples) => batches.push({ at: Date.now(), cache: samples.map((s) => s.cacheUsedBytes) }) },
  );
  await eventually(() => worker.received.some((m) => m.type === "watch" && m.on));
  const begin = Date.now();
  for (let i = 1; Date.now() - begin < 2_000; i++) {
    worker.samples([sample("data", new Date(), i), sample("db", new Date(), i), sample("mail", new Date(), i)]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  live.unsubscribe();
  expect(batches.length).toBeGreaterThan(4);
  expect(batches.length).toBeLessThanOrEqual(12);
  expect(batches.every(({ cache }) => cache.length <= 2)).toBe(true);
  worker.emit(runId, ...goingWell("data", "db"));
  await eventually(() => worker.outbox.length === 0);
  const { samples } = await client.runs.get.query({ id: runId });
  expect([...new Set(samples.map(({ volume: name }) => name))].sort()).toEqual(["data", "db"]);
  expect(samples.length).toBeGreaterThan(10);
  expect(samples.map(({ at }) => at)).toEqual(samples.map(({ at }) => at).sort());
});

test("a failure keeps its evidence, its action changes the job and reruns it, and a success settles it", async () => {
  const runId = await startRun("Nightly", ["data", "db"]);
  const at = new Date().toISOString();
  const evidence = { minimumMs: 250, timeoutMs: 1000, longestGapMs: 87.4, recurringGapMs: 60, writesPerSecond: 400 };
  worker.emit(
    runId,
    started("data", "db"),
    { type: "failure", at, code: "OFO-QUIET", volume: null, message: "no gap", evidence },
    { type: "ended", at, outcome: "failed", code: "OFO-QUIET" },
  );
  await eventually(() => worker.outbox.length === 0);
  const failure = (await client.overview.get.query()).failures[0]?.newest;
  const id = failure?.id ?? "";
  expect(failure).toMatchObject({ code: "OFO-QUIET", runId, job: { name: "Nightly" }, resolved: false });
  expect(await client.failures.get.query({ id })).toMatchObject({ evidence });
  await expect(client.failures.act.mutate({ id, action: "removeOrphans" })).rejects.toMatchObject({
    data: { fault: { kind: "invalid", field: "action" } },
  });

  const acted = await client.failures.act.mutate({ id, action: "useLongestGap" });
  expect(acted.message).toContain("48 ms");
  const job = (await client.jobs.list.query())[0];
  expect(job?.openFile.quiet).toMatchObject({ minimumMs: 48, timeoutMs: 2000 });
  expect(job?.lastRun?.id).toBe(acted.runId);
  worker.emit(acted.runId ?? "", started("data", "db"), ...goingWell("data", "db"));
  await eventually(async () => (await client.failures.get.query({ id })).resolved);
  expect((await client.overview.get.query()).failures).toEqual([]);
});

test("a full cache can be allowed more, as far as there is room, or another place", async () => {
  const full = async (maxBytes: number, freeBytes: number) => {
    const at = new Date().toISOString();
    const evidence = {
      cause: "maximumReached" as const,
      maxBytes,
      locations: [{ path: "/big", freeBytes, reservedBytes: 0, neededBytes: 1, turnedDown: "not allowed" }],
    };
    const runId = (await client.runs.list.query({ limit: 1 }))[0]?.id ?? "";
    worker.emit(
      runId,
      started("data"),
      { type: "failure", at, code: "a000851c", volume: "data", message: "full", evidence },
      { type: "ended", at, outcome: "failed", code: "a000851c" },
    );
    await eventually(() => worker.outbox.length === 0);
    return (await client.failures.list.query())[0]?.id ?? "";
  };
  const maximum = async () => (await client.jobs.list.query())[0]?.openFile.cache.maxBytes;
  await startRun();
  await client.failures.act.mutate({ id: await full(8 << 20, 1 << 30), action: "raiseMaximum" });
  expect(await maximum()).toBe(16 << 20);
  await client.failures.act.mutate({ id: await full(16 << 20, 20 << 20), action: "raiseMaximum" });
  expect(await maximum()).toBe(20 << 20);
  const id = await full(20 << 20, 20 << 20);
  await expect(client.failures.act.mutate({ id, action: "raiseMaximum" })).rejects.toThrow("No location has room");
  await client.failures.act.mutate({ id, action: "allowLocation" });
  expect(await client.settings.get.query()).toMatchObject({ cacheLocations: ["/big"] });
});

test("the switch on a failure of full caches makes this job, and only it, go one at a time", async () => {
  await makeJob("Other", ["mail"]);
  const runId = await startRun("Nightly", ["data", "db"]);
  const at = new Date().toISOString();
  const evidence = { cause: "maximumReached" as const, maxBytes: 8 << 20 };
  worker.emit(
    runId,
    started("data", "db"),
    { type: "failure", at, code: "a000851c", volume: "data", message: "full", evidence },
    { type: "ended", at, outcome: "failed", code: "a000851c" },
  );
  await eventually(() => worker.outbox.length === 0);
  const [failure] = await client.failures.list.query();
  await client.failures.act.mutate({ id: failure?.id ?? "", action: "oneAtATime" });
  expect(specsReceived().at(-1)?.mode).toBe("oneAtATime");
  const modes = (await client.jobs.list.query()).map(({ name, effectiveMode }) => [name, effectiveMode]);
  expect(modes).toEqual([
    ["Nightly", "oneAtATime"],
    ["Other", "allAtOnce"],
  ]);
});
