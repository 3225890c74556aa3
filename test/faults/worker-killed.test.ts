/**
 * Nothing left: after success, failure, cancel and `kill -9` of the worker at every phase no mount, loop device,
 * process, cache file, secret or lock of a run remains once the worker is up, and the run ends as what it is.
 */

import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Phase } from "@/server/core/contracts/run";
import { runProgram } from "@/server/worker/programs/run-program";
import { Cleanup } from "../fixtures/cleanup";
import { killWithKeeper, runDirectoryOf } from "../fixtures/engine-process";
import { pause } from "../fixtures/native-program";
import { type RunWish, WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "one", sizeBytes: 256 * MIB });
  await worker.host.host("practice.create", { name: "two", sizeBytes: 320 * MIB, fs: "xfs" });
  for (const name of ["one", "two"]) writeFileSync(join(worker.mount(name), "data"), randomBytes(100 * MIB));
});
afterAll(() => whole.run());

const both = ["one", "two"];
/** Long enough to be killed in, on both ways to back up. */
const ways: [string, Partial<RunWish>][] = [
  ["restic", {}],
  ["a command", { command: "sleep 60 & wait; exit 3" }],
];
const phases: Phase[] = ["reserving", "waitingForQuiet", "freezing", "snapshotted", "backingUp", "releasing"];
/** A gap that comes only after some time, so that the wait for it can be killed. */
const quiet = { minimumMs: 1500, timeoutMs: 10_000 };

async function nothingLeft(): Promise<void> {
  const deadline = performance.now() + 30_000;
  while ((await worker.leftovers()).length > 0 && performance.now() < deadline) await pause(100);
  expect(await worker.leftovers()).toEqual([]);
  expect(await worker.host.host("snapshot.list", {})).toEqual([]);
  for (const volume of await worker.host.host("volume.list", {})) {
    if (both.includes(volume.name))
      expect(volume).toMatchObject({ state: "attached", mount: worker.mount(volume.name) });
  }
}

describe("nothing is left", () => {
  test("after success", async () => {
    const runId = await worker.startRun({ volumes: both });
    expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
    await nothingLeft();
  });

  test("after failure", async () => {
    const runId = await worker.startRun({ volumes: both, command: "exit 9" });
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "failed", code: "SF-103" });
    await nothingLeft();
  });

  for (const [way, wish] of ways) {
    for (const phase of phases) {
      if (way === "a command" && phase === "releasing") continue; // it only gets there after its minute
      test(`after a cancel while ${phase}, backing up by ${way}`, async () => {
        const runId = await worker.startRun({ volumes: both, openFile: { quiet }, ...wish });
        await worker.console.until(runId, (e) => e.type === "phase" && e.phase === phase);
        await worker.host.host("run.cancel", { runId }).catch((error: Error) => {
          if (phase !== "releasing") throw error; // it may have ended by itself just then
        });
        const { outcome } = await worker.console.ended(runId);
        expect(phase === "releasing" ? ["succeeded", "cancelled"] : ["cancelled"]).toContain(outcome);
        await nothingLeft();
      });

      test(`after the worker was killed while ${phase}, backing up by ${way}`, async () => {
        const runId = await worker.startRun({ volumes: both, openFile: { quiet }, ...wish });
        await worker.console.until(runId, (e) => e.type === "phase" && e.phase === phase);
        await worker.kill();
        await worker.up();
        const ended = await worker.console.ended(runId);
        if (phase !== "releasing" || ended.outcome === "interrupted") {
          expect(ended, worker.console.story(runId)).toMatchObject({ outcome: "interrupted", code: "SF-106" });
          const failure = worker.console.eventsOf(runId).find((e) => e.type === "failure");
          expect(failure).toMatchObject({ evidence: { lastPhase: expect.any(String), cleaned: expect.any(Array) } });
        }
        expect(worker.console.eventsOf(runId).filter((e) => e.type === "ended")).toHaveLength(1);
        await nothingLeft();
      });
    }
  }

  test("after the worker was stopped during a run, which ends as interrupted", async () => {
    const runId = await worker.startRun({ volumes: both, command: "sleep 60" });
    await worker.console.until(runId, (e) => e.type === "phase" && e.phase === "backingUp");
    await worker.stop();
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "interrupted", code: "SF-106" });
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(worker.directory);
    await worker.up();
    await nothingLeft();
  });

  // Each step of making a namespace, as a kill right after it leaves it.
  test.each(["the pins' directory is bound", "it is private", "the pin's file is made"])(
    "of a namespace whose worker was killed when %s, and the next can be made",
    async (step) => {
      const runId = await worker.startRun({ volumes: both, command: "sleep 60" });
      await worker.console.until(runId, (e) => e.type === "phase" && e.phase === "backingUp");
      await worker.kill();
      const pins = join(worker.run, "ns");
      for (const pin of readdirSync(pins)) {
        await runProgram("umount", [join(pins, pin)]);
        rmSync(join(pins, pin));
        await runProgram("umount", [pins]);
        await runProgram("mount", ["--bind", pins, pins]);
        await runProgram("mount", ["--make-shared", pins]);
        if (!step.endsWith("bound")) await runProgram("mount", ["--make-private", pins]);
        if (step.endsWith("made")) writeFileSync(join(pins, pin), "");
      }
      await worker.up();
      await nothingLeft();
      const next = await worker.startRun({ volumes: both, command: "true" });
      expect((await worker.console.ended(next)).outcome, worker.console.story(next)).toBe("succeeded");
      await nothingLeft();
    },
  );

  test("of runs that make and end their namespaces at the same time", async () => {
    for (let round = 0; round < 5; round += 1) {
      const ids = await Promise.all(both.map((name) => worker.startRun({ volumes: [name], command: "true" })));
      for (const id of ids) {
        expect((await worker.console.ended(id)).outcome, worker.console.story(id)).toBe("succeeded");
      }
    }
    await nothingLeft();
  });

  test("of a session of exec whose worker was killed, nor of its command", async () => {
    const session = await worker.host.host("exec.begin", { volumes: both, openFile: { quiet: { minimumMs: 0 } } });
    expect(session.volumes.map((v) => v.name).sort()).toEqual([...both].sort());
    await worker.kill();
    await worker.up();
    await nothingLeft();
  });
});

test("a volume goes on being written to while its worker is killed and comes back", async () => {
  await worker.host.host("practice.writer", { name: "one", on: true });
  const before = await worker.host.host("sample.latest", {});
  await worker.kill();
  await pause(1500);
  await worker.up();
  const after = await worker.host.host("sample.latest", {});
  const writes = (samples: typeof before) => samples.find((s) => s.volume === "one")?.writes ?? 0;
  expect(writes(after)).toBeGreaterThan(writes(before));
  await worker.host.host("practice.writer", { name: "one", on: false });
});

test("an engine that is gone with its keeper fails a run as OFO-COMM with evidence, and is repaired by a restart", async () => {
  await killWithKeeper(runDirectoryOf(worker.run, "one"));
  const runId = await worker.startRun({ volumes: ["one"], command: "exit 0" });
  expect(await worker.console.ended(runId)).toMatchObject({ outcome: "failed", code: "OFO-COMM" });
  const failure = worker.console.eventsOf(runId).find((e) => e.type === "failure");
  expect(failure).toMatchObject({
    volume: "one",
    evidence: {
      subject: "engine",
      processState: expect.stringMatching(/^(absent|zombie)$/),
      logLines: expect.any(Array),
    },
  });
  const state = async () => (await worker.host.host("volume.list", {})).find((v) => v.name === "one")?.state;
  expect(await state()).toBe("unreachable");
  await worker.host.host("engine.restart", { volume: "one" });
  expect(await state()).toBe("attached");
  expect(readFileSync(join(worker.mount("one"), "data")).length).toBe(100 * MIB);
  await nothingLeft();
});

test("a worker that finds engine and keeper dead attaches the volume anew", async () => {
  await worker.host.host("snapshot.create", { volumes: ["two"], openFile: { quiet: { minimumMs: 0 } } });
  await worker.kill();
  await killWithKeeper(runDirectoryOf(worker.run, "two"));
  await worker.up();
  expect(readFileSync(join(worker.mount("two"), "data")).length).toBe(100 * MIB);
  await nothingLeft();
});
