/**
 * The console's end of the link, spoken to by a scripted peer that stands for a worker (it says why in its own
 * file). The database, the HTTP server and the WebSockets are real.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../fixtures/console-under-test";
import { goingWell, jobInput, logLine, started, volume } from "../fixtures/link-documents";
import { type LinkedConsole, linkedConsole } from "../fixtures/linked-console";
import { ScriptedWorker } from "../fixtures/scripted-worker";

let linked: LinkedConsole;
let { it, worker, client, hostId } = {} as LinkedConsole;

beforeEach(async () => {
  linked = await linkedConsole(volume("data"), volume("db"));
  ({ it, worker, client, hostId } = linked);
});
afterEach(() => linked?.remove());

const startRun = async (name = "Nightly", volumes = ["data"]) => {
  const job = await client.jobs.create.mutate(jobInput(hostId, name, volumes));
  const { runId } = await client.jobs.run.mutate({ id: job.id });
  return { job, runId };
};
const textsOf = async (runId: string) =>
  (await client.runs.get.query({ id: runId })).events.flatMap(({ event }) =>
    event.type === "log" ? [event.text] : [],
  );

test("each event is stored once, however often the link drops and the console restarts", async () => {
  const { runId } = await startRun();
  worker.emit(runId, started("data"));
  const texts = Array.from({ length: 300 }, (_, i) => `line ${i}`);
  for (const [i, text] of texts.entries()) {
    worker.emit(runId, logLine(text));
    if (i % 40 === 17) {
      // Without waiting: some are stored and their acknowledgement lost, some are lost on the way.
      if (i % 80 === 17) await new Promise((resolve) => setTimeout(resolve, 5));
      worker.drop();
      if (i === 177) {
        await it.stop();
        await it.start();
      }
      await worker.connect(it.origin, it.hostKey);
    }
  }
  await eventually(() => worker.outbox.length === 0);
  expect(await textsOf(runId)).toEqual(texts);
  const { events } = await client.runs.get.query({ id: runId });
  expect(events.map(({ position }) => position)).toEqual(events.map((_, i) => i + 1));
});

test("events that were stored are not stored again when the worker sends them anew", async () => {
  const { runId } = await startRun();
  worker.emit(runId, started("data"), logLine("once"));
  await eventually(() => worker.outbox.length === 0);
  worker.send({ type: "event", seq: 2, runId, event: logLine("once") });
  worker.emit(runId, logLine("after"));
  await eventually(() => worker.outbox.length === 0);
  expect(await textsOf(runId)).toEqual(["once", "after"]);
});

test("nothing that was acknowledged is lost, and nothing is stored twice, when the console is killed", async () => {
  const { runId } = await startRun();
  worker.emit(runId, started("data"));
  await eventually(() => worker.outbox.length === 0);
  const texts: string[] = [];
  for (let kill = 0; kill < 3; kill++) {
    await it.stop();
    await it.startProcess();
    await worker.connect(it.origin, it.hostKey);
    const acknowledgedBefore = worker.outbox.length;
    for (let i = 0; i < 200; i++) {
      texts.push(`${kill}: line ${i}`);
      worker.emit(runId, logLine(`${kill}: line ${i}`));
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await eventually(() => worker.outbox.length < acknowledgedBefore + 150);
    await it.kill();
  }
  await it.start();
  await worker.connect(it.origin, it.hostKey);
  await eventually(() => worker.outbox.length === 0);
  expect(await textsOf(runId)).toEqual(texts);
});

test("a hole in the numbers is sent again, and a worker that has nothing older is not turned away for ever", async () => {
  const { runId } = await startRun();
  worker.emit(runId, started("data"));
  await eventually(() => worker.outbox.length === 0);
  worker.send({ type: "event", seq: 3, runId, event: logLine("out of order") });
  await eventually(async () => (await client.hosts.list.query()).every((host) => !host.connected));
  expect(await textsOf(runId)).toEqual([]);

  await worker.connect(it.origin, it.hostKey);
  worker.send({ type: "event", seq: 41, runId, event: logLine("what is left") });
  await eventually(async () => (await textsOf(runId)).length === 1);
});

test("a host tells of its own runs only: what it says of another's is passed over", async () => {
  const { runId } = await startRun();
  worker.emit(runId, started("data"));
  await eventually(() => worker.outbox.length === 0);
  const key = randomBytes(32).toString("base64url");
  const { token } = await client.hosts.invite.mutate({});
  const keyHash = createHash("sha256").update(key).digest("hex");
  await it.post("/api/join", { hostname: "other", keyHash }, { authorization: `Bearer ${token}` });
  const other = new ScriptedWorker();
  await other.connect(it.origin, key);
  other.emit(runId, logLine("not mine"));
  other.emit(runId, { type: "ended", at: new Date().toISOString(), outcome: "succeeded", code: null });
  await eventually(() => other.outbox.length === 0);
  other.drop();
  const { run } = await client.runs.get.query({ id: runId });
  expect(run.endedAt).toBeNull();
  expect(await textsOf(runId)).toEqual([]);
});

test("a run that the worker no longer knows ends as interrupted, with its evidence", async () => {
  const { runId } = await startRun();
  worker.emit(runId, started("data"), { type: "phase", at: new Date().toISOString(), group: 0, phase: "reserving" });
  await eventually(() => worker.outbox.length === 0);
  worker.drop();
  worker.activeRuns = [];
  await worker.connect(it.origin, it.hostKey);
  await eventually(async () => (await client.runs.get.query({ id: runId })).run.state === "interrupted");
  const [failure] = await client.failures.list.query();
  expect(failure).toMatchObject({ code: "SF-106", runId, resolved: false });
  const detail = await client.failures.get.query({ id: failure?.id ?? "" });
  expect(detail.evidence).toMatchObject({ lastPhase: "reserving" });
});

test.each([true, false])(
  "a run that ended while the link was down stays what it was (outbox end told: %s)",
  async (tellsOutboxEnd) => {
    worker.tellsOutboxEnd = tellsOutboxEnd;
    const { runId } = await startRun();
    worker.emit(runId, started("data"));
    await eventually(() => worker.outbox.length === 0);
    worker.drop();
    worker.emit(runId, ...goingWell("data"));
    worker.activeRuns = [];
    await worker.connect(it.origin, it.hostKey);
    await eventually(async () => (await client.runs.get.query({ id: runId })).run.state === "succeeded");
    if (!tellsOutboxEnd) await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect((await client.runs.get.query({ id: runId })).run.state).toBe("succeeded");
    expect(await client.failures.list.query()).toEqual([]);
  },
);

test("a run that the worker still carries goes on through a restart of the console", async () => {
  const { runId } = await startRun();
  worker.emit(runId, started("data"));
  await eventually(() => worker.outbox.length === 0);
  await it.stop();
  await it.start();
  await worker.connect(it.origin, it.hostKey);
  worker.emit(runId, ...goingWell("data"));
  await eventually(() => worker.outbox.length === 0);
  expect((await client.runs.get.query({ id: runId })).run).toMatchObject({ state: "succeeded", code: null });
});

test("a host that went away shows so, and a run on it fails with OFO-COMM and what is known", async () => {
  const job = await client.jobs.create.mutate(jobInput(hostId, "Nightly", ["data"]));
  mkdirSync(path.join(it.home, "log"));
  writeFileSync(path.join(it.home, "log", "worker.log"), "the worker's last words\n");
  worker.drop();
  await eventually(async () => (await client.hosts.list.query()).every((host) => !host.connected));
  const volumes = await client.volumes.list.query({});
  expect(volumes.map(({ name, connected }) => [name, connected])).toEqual([
    ["data", false],
    ["db", false],
  ]);
  const { runId } = await client.jobs.run.mutate({ id: job.id });
  expect((await client.runs.get.query({ id: runId })).run).toMatchObject({ state: "failed", code: "OFO-COMM" });
  const [failure] = await client.failures.list.query();
  const { evidence } = await client.failures.get.query({ id: failure?.id ?? "" });
  expect(evidence).toMatchObject({
    subject: "worker",
    processState: "absent",
    logLines: ["the worker's last words"],
    versions: { worker: "0.0.1" },
    socket: { path: path.join(it.home, "run", "worker.sock"), exists: false },
  });
  expect(evidence.lastContactAt).toMatch(/^20/);
  await expect(client.hosts.doctor.mutate({ hostId })).rejects.toMatchObject({
    data: { fault: { kind: "unavailable", code: "OFO-COMM" } },
  });

  await worker.connect(it.origin, it.hostKey);
  const again = await client.failures.act.mutate({ id: failure?.id ?? "", action: "rerun" });
  worker.emit(again.runId ?? "", started("data"), ...goingWell("data"));
  await eventually(async () => (await client.failures.list.query())[0]?.resolved);
});

test("a second connection of the same host takes over from a first that hangs", async () => {
  const second = new ScriptedWorker();
  second.outboxId = worker.outboxId;
  await second.connect(it.origin, it.hostKey);
  second.answers["host.doctor"] = () => ({ ok: true, checks: [] });
  expect(await client.hosts.doctor.mutate({ hostId })).toEqual({ ok: true, checks: [] });
  second.drop();
});

test("what is no message of the contract, or another protocol, ends the connection and nothing else", async () => {
  worker.send({ type: "volumes", volumes: "none" } as never);
  await eventually(async () => (await client.hosts.list.query()).every((host) => !host.connected));
  await worker.connect(it.origin, it.hostKey);
  await eventually(async () => (await client.hosts.list.query()).every((host) => host.connected));
});

test("live data is asked for only while someone looks or a run is on", async () => {
  const watch = () => worker.received.flatMap((m) => (m.type === "watch" ? [m.on] : [])).at(-1);
  await eventually(() => watch() === false);
  const looking = client.live.samples.subscribe({}, {});
  await eventually(() => watch() === true);
  looking.unsubscribe();
  await eventually(() => watch() === false);
  const { runId } = await startRun();
  await eventually(() => watch() === true);
  worker.emit(runId, started("data"), ...goingWell("data"));
  await eventually(() => watch() === false);
});

test("the command line reaches jobs, runs and settings through its worker", async () => {
  const { hostId: _, ...input } = jobInput(hostId, "Ночной архив 1", ["data"]);
  const created = await worker.ask("console.job.create", input);
  expect(created).toMatchObject({ ok: true, result: { name: "Ночной архив 1", hostId, hasPassword: true } });
  expect(JSON.stringify(created)).not.toContain(input.password);
  const run = await worker.ask("job.run", { job: "Ночной архив 1" });
  const { runId } = run.result as { runId: string };
  worker.emit(runId, started("data"), logLine("hello"));
  await eventually(() => worker.outbox.length === 0);
  expect(await worker.ask("run.log", { run: "1", after: 1 })).toMatchObject({
    result: { events: [{ position: 2, event: { text: "hello" } }], ended: false },
  });
  expect(await worker.ask("settings.set", { oneAtATime: true })).toMatchObject({ result: { oneAtATime: true } });
  expect(await worker.ask("job.run", { job: "no such" })).toMatchObject({ ok: false, fault: { kind: "notFound" } });
  expect(await worker.ask("run.list", { limit: 0 })).toMatchObject({
    ok: false,
    fault: { kind: "invalid", field: "limit" },
  });
  expect(await worker.ask("nothing", {})).toMatchObject({ ok: false, fault: { kind: "notFound" } });
});
