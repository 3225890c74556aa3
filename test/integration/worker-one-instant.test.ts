/** A job of two volumes all at once restores to one instant of both; one at a time need not, and the run says so. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { pause } from "../fixtures/native-program";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const GROUPS = 50;
const both = ["first ä", "second"];
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;
/** One counter on each volume, the first written first. */
let counters: string[];

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "first ä", sizeBytes: 64 * MIB });
  await worker.host.host("practice.create", { name: "second", sizeBytes: 320 * MIB, fs: "xfs" });
  counters = both.map((name) => join(worker.mount(name), "counter"));
});
afterAll(() => whole.run());

beforeEach(async () => {
  const script = fileURLToPath(new URL("../fixtures/pair-writer.mjs", import.meta.url));
  new BackgroundProgram(cleanup, process.execPath, [script, ...counters]);
  for (const file of counters) while (!existsSync(file) || readFileSync(file, "utf8") === "") await pause(20);
});

/** Backs both counters up by restic, restores them and returns their numbers. */
async function restoredNumbers(mode: "allAtOnce" | "oneAtATime"): Promise<{ runId: string; a: number; b: number }> {
  const runId = await worker.startRun({ volumes: both, mode });
  expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
  const target = worker.path(`restored-${runId}`);
  const at = { repository: worker.repository, password: worker.password, runId };
  await worker.host.host("restore.start", { ...at, paths: counters, target });
  const [a = -1, b = -1] = counters.map((file) => Number(readFileSync(join(target, file), "utf8")));
  return { runId, a, b };
}

describe("a writer that makes n durable on A, then n on B, then n + 1", () => {
  test(`is seen at A = B or A = B + 1 in each of ${GROUPS} sessions of exec on both`, async () => {
    let last = 0;
    for (let group = 1; group <= GROUPS; group += 1) {
      const session = await worker.host.host("exec.begin", { volumes: both, openFile: { quiet: { minimumMs: 0 } } });
      const seen = await mustRun("nsenter", [`--mount=${session.namespace}`, "tail", "-q", "-c", "12", ...counters]);
      await worker.host.host("exec.end", { session: session.session });
      const [a = -1, b = -1] = [Number(seen.slice(0, 12)), Number(seen.slice(12))];
      expect([b, b + 1], `group ${group}: A = ${a}, B = ${b}`).toContain(a);
      expect(a).toBeGreaterThan(last);
      last = a;
    }
    expect(await worker.leftovers()).toEqual([]);
  });

  test("is restored at A = B or A = B + 1 from a job all at once", async () => {
    const { runId, a, b } = await restoredNumbers("allAtOnce");
    expect([b, b + 1], `A = ${a}, B = ${b}`).toContain(a);
    const frozen = worker.console.eventsOf(runId).flatMap((e) => (e.type === "frozen" ? [e] : []));
    expect(frozen.map((e) => e.volumes.length)).toEqual([2]);
  });

  test("is restored further apart from a job one at a time, and the run says how far the instants lie apart", async () => {
    const { runId, a, b } = await restoredNumbers("oneAtATime");
    expect(b, `A = ${a}, B = ${b}`).toBeGreaterThan(a + 1);
    const events = worker.console.eventsOf(runId);
    const instants = events.flatMap((e) => (e.type === "frozen" ? e.volumes.map((v) => Date.parse(v.takenAt)) : []));
    const seconds = ((Math.max(...instants) - Math.min(...instants)) / 1000).toFixed(1);
    const said = events.flatMap((e) => (e.type === "log" ? [e.text] : []));
    expect(said).toContainEqual(expect.stringContaining(`frozen at different instants, ${seconds} s apart`));
  });
});
