/**
 * An engine that hangs before its volume is frozen costs the run, which names it, and nobody else's writes: a run always
 * ends, a cancel is heard, and what the hung engine still holds is released when it answers again.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unreachableEvidence } from "@/server/core/errors/evidence";
import { mustRun } from "@/server/worker/programs/run-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { runDirectoryOf, servingEngine } from "../fixtures/engine-process";
import { pause } from "../fixtures/native-program";
import { SlowSocket } from "../fixtures/slow-socket";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
/** Of ENGINE.md; and what asking the engines, a durable write and the release may take on a busy machine. */
const SYNC_LIMIT_MS = 30_000;
const DEADLINE_MS = 10_000;
const GRACE_MS = 20_000;
const both = ["busy", "stuck"];
const job = { volumes: both, command: "exit 0" };
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  for (const name of both) await worker.host.host("practice.create", { name, sizeBytes: 64 * MIB });
});
afterAll(() => whole.run());

/** The volume's engine, which can be stopped, and goes on at the end of the test at the latest. */
async function engineOf(volume: string): Promise<{ stop: () => void; goOn: () => void }> {
  const pid = await servingEngine(runDirectoryOf(worker.run, volume));
  const goOn = () => {
    try {
      process.kill(pid, "SIGCONT");
    } catch {
      // another engine took its place
    }
  };
  cleanup.add("let the engine run", goOn);
  return { stop: () => void process.kill(pid, "SIGSTOP"), goOn };
}

/** Stops the engine right after the freeze has asked it, with pages that it has not written yet. */
async function hangBeforeTheFreeze(): Promise<{ stopped: Promise<void>; goOn: () => void }> {
  const { stop, goOn } = await engineOf("stuck");
  const directory = runDirectoryOf(worker.run, "stuck");
  const [path, aside] = [join(directory, "engine.sock"), join(directory, "engine.aside")];
  renameSync(path, aside);
  const slow = await SlowSocket.listen(cleanup, { name: "stuck", directory, attached: { socket: aside } });
  slow.letThrough();
  cleanup.add("put the engine's socket back", () => renameSync(aside, path));
  renameSync(slow.path, path);
  const stopped = new Promise<void>((done) => {
    slow.onAnswer = (bytes) => {
      if (bytes.includes('"event"') || !bytes.includes('"prepared"')) return;
      slow.onAnswer = () => {};
      stop();
      done();
    };
  });
  const dirty = `of=${join(worker.mount("stuck"), "dirty")}`;
  await mustRun("dd", ["if=/dev/urandom", dirty, "bs=1M", "count=4", "status=none"]);
  return { stopped, goOn };
}

async function durableWriteMs(volume: string): Promise<number> {
  const began = performance.now();
  const file = `of=${join(worker.mount(volume), "written")}`;
  await mustRun("dd", ["if=/dev/zero", file, "bs=4k", "count=1", "conv=fsync", "status=none"], { timeoutMs: 60_000 });
  return performance.now() - began;
}

/** The longest durable write on the volume until the run has ended. */
async function longestWriteUntilEnded(volume: string, runId: string): Promise<number> {
  let ended = false;
  const end = worker.console.ended(runId).finally(() => {
    ended = true;
  });
  let longest = 0;
  while (!ended) {
    longest = Math.max(longest, await durableWriteMs(volume));
    await pause(50);
  }
  await end;
  return longest;
}

function mustBlame(runId: string, message: RegExp): void {
  const events = worker.console.eventsOf(runId);
  const failures = events.flatMap((e) => (e.type === "failure" ? [e] : []));
  expect(
    failures.map((e) => [e.code, e.volume]),
    worker.console.story(runId),
  ).toEqual([["OFO-COMM", "stuck"]]);
  expect(failures[0]?.message).toMatch(message);
  const evidence = unreachableEvidence.parse(failures[0]?.evidence);
  expect(evidence).toMatchObject({ subject: "engine", volume: "stuck", processState: "stopped" });
  expect(events.map((e) => e.type)).not.toContain("frozen");
}

/** What the hung engine held is released by itself, and then the same job succeeds. */
async function mustRecover(): Promise<void> {
  for (let tries = 0; tries < 200 && (await worker.leftovers()).length > 0; tries += 1) await pause(200);
  expect(await worker.leftovers()).toEqual([]);
  const again = await worker.startRun(job);
  expect(await worker.console.ended(again), worker.console.story(again)).toMatchObject({ outcome: "succeeded" });
  expect(await worker.leftovers()).toEqual([]);
}

test("an engine that hangs before the run fails it, naming the volume", async () => {
  const { stop, goOn } = await engineOf("stuck");
  stop();
  const began = performance.now();
  const runId = await worker.startRun(job);
  expect(await longestWriteUntilEnded("busy", runId)).toBeLessThan(DEADLINE_MS);
  expect(performance.now() - began).toBeLessThan(SYNC_LIMIT_MS + GRACE_MS);
  mustBlame(runId, /engine of volume "stuck" does not answer/);
  goOn();
  await mustRecover();
});

test("an engine that hangs while dirty pages are written back fails the run at the limit, and stops no other writer", async () => {
  const { stopped, goOn } = await hangBeforeTheFreeze();
  const began = performance.now();
  const runId = await worker.startRun(job);
  await stopped;
  expect(await longestWriteUntilEnded("busy", runId)).toBeLessThan(DEADLINE_MS);
  expect(performance.now() - began).toBeLessThan(SYNC_LIMIT_MS + GRACE_MS);
  mustBlame(runId, /dirty pages of stuck .* could not be written back/);
  goOn();
  await mustRecover();
});

test("a cancel is heard while an engine hangs before the freeze", async () => {
  const { stopped, goOn } = await hangBeforeTheFreeze();
  const runId = await worker.startRun(job);
  await stopped;
  await pause(1000);
  const began = performance.now();
  await worker.host.host("run.cancel", { runId });
  expect(performance.now() - began).toBeLessThan(12_000);
  expect(await worker.console.ended(runId), worker.console.story(runId)).toMatchObject({ outcome: "cancelled" });
  expect(await durableWriteMs("busy")).toBeLessThan(DEADLINE_MS);
  goOn();
  await mustRecover();
});

test("an engine that hangs is replaced when asked, and the volume is written to again", async () => {
  const { stop } = await engineOf("stuck");
  stop();
  await worker.host.host("engine.restart", { volume: "stuck" });
  expect(await durableWriteMs("stuck")).toBeLessThan(DEADLINE_MS);
  await mustRecover();
});

test("an engine that hangs when a worker starts is replaced, and who uses the volume and its snapshot goes on", async () => {
  const note = join(worker.mount("stuck"), "note");
  writeFileSync(note, "before", { flush: true });
  const user = openSync(note, "r+");
  cleanup.add("close the file", () => closeSync(user));
  const made = await worker.host.host("snapshot.create", { volumes: ["stuck"], openFile: { quiet: { minimumMs: 0 } } });
  const id = made.snapshots[0]?.id ?? "";
  const { stop } = await engineOf("stuck");
  stop();
  await worker.kill();
  await worker.up();
  writeSync(user, "after!");
  fsyncSync(user);
  const target = worker.path("frozen");
  await worker.host.host("snapshot.mount", { id, target });
  expect(readFileSync(join(target, "note"), "utf8")).toBe("before");
  await worker.host.host("snapshot.release", { id });
  await mustRecover();
});

test("a cancelled run ends also while an engine hangs during the backup", async () => {
  const { stop, goOn } = await engineOf("stuck");
  const runId = await worker.startRun({ volumes: both, command: `sleep 3; cat "${worker.mount("stuck")}/dirty"` });
  await worker.console.until(runId, (e) => e.type === "phase" && e.phase === "backingUp");
  stop();
  await pause(5000);
  await worker.host.host("run.cancel", { runId });
  expect(await worker.console.ended(runId), worker.console.story(runId)).toMatchObject({ outcome: "cancelled" });
  const released = worker.console.eventsOf(runId).flatMap((e) => (e.type === "snapshotReleased" ? [e.volume] : []));
  expect(released).toEqual(["busy"]);
  expect(await durableWriteMs("busy")).toBeLessThan(DEADLINE_MS);
  goOn();
  await mustRecover();
}, 240_000);
