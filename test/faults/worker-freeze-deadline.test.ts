/** A freeze that outlives its deadline fails the run as SF-101: writers go on, and no snapshot is said to be taken. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deadlineEvidence } from "@/server/core/errors/evidence";
import { mustRun } from "@/server/worker/programs/run-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { runDirectoryOf, servingEngine } from "../fixtures/engine-process";
import { SlowSocket } from "../fixtures/slow-socket";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
/** Default of ENGINE.md, and what a thaw and a durable write may take on a busy machine. */
const DEADLINE_MS = 10_000;
const GRACE_MS = 3000;
const both = ["busy", "stuck"];
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "busy", sizeBytes: 192 * MIB });
  await worker.host.host("practice.create", { name: "stuck", sizeBytes: 64 * MIB });
});
afterAll(() => whole.run());

const enginePid = (volume: string): Promise<number> => servingEngine(runDirectoryOf(worker.run, volume));

/** Whoever asks the volume's engine from now on does so through a slow socket. */
async function slowDown(volume: string): Promise<SlowSocket> {
  const directory = runDirectoryOf(worker.run, volume);
  const [path, aside] = [join(directory, "engine.sock"), join(directory, "engine.aside")];
  renameSync(path, aside);
  cleanup.add("put the engine's socket back", () => renameSync(aside, path));
  const slow = await SlowSocket.listen(cleanup, { name: volume, directory, attached: { socket: aside } });
  renameSync(slow.path, path);
  return slow;
}

async function durableWriteMs(volume: string): Promise<number> {
  const began = performance.now();
  const file = `of=${join(worker.mount(volume), "written")}`;
  await mustRun("dd", ["if=/dev/zero", file, "bs=4k", "count=1", "conv=fsync", "status=none"], { timeoutMs: 60_000 });
  return performance.now() - began;
}

test("an engine that is stopped while its group stands frozen costs the run, with evidence, and nobody's writes", async () => {
  const pid = await enginePid("stuck");
  const slow = await slowDown("stuck");
  const runId = await worker.startRun({ volumes: both, command: "exit 0" });
  await slow.asked;
  process.kill(pid, "SIGSTOP");
  cleanup.add("let the engine run", () => process.kill(pid, "SIGCONT"));
  slow.letThrough();

  expect(await durableWriteMs("busy")).toBeLessThan(DEADLINE_MS + GRACE_MS);
  process.kill(pid, "SIGCONT");
  expect(await durableWriteMs("stuck")).toBeLessThan(GRACE_MS);

  const ended = await worker.console.ended(runId);
  expect(ended, worker.console.story(runId)).toMatchObject({ outcome: "failed", code: "SF-101" });
  const events = worker.console.eventsOf(runId);
  expect(events.map((e) => e.type)).not.toContain("frozen");
  const failures = events.flatMap((e) => (e.type === "failure" ? [e] : []));
  expect(failures.map((e) => e.code)).toEqual(["SF-101"]);
  const evidence = deadlineEvidence.parse(failures[0]?.evidence);
  expect(evidence).toMatchObject({ deadlineMs: DEADLINE_MS, blocked: "stuck" });
  expect(evidence.mounts.map((m) => m.name).sort()).toEqual(both);
  const results = events.flatMap((e) => (e.type === "volumeEnded" ? [e.result] : []));
  expect(results.map((r) => [r.state, r.code, r.takenAt])).toEqual(both.map(() => ["failed", "SF-101", null]));
  expect(await worker.leftovers()).toEqual([]);
});
