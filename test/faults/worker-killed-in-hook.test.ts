import { afterAll, beforeAll, expect, test } from "vitest";
import { Cleanup } from "../fixtures/cleanup";
import { processesWith } from "../fixtures/processes-with";
import { Trace } from "../fixtures/trace";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
let worker: WorkerUnderTest;
let trace: Trace;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  for (const name of ["one", "two"]) await worker.host.host("practice.create", { name, sizeBytes: 64 * MIB });
  trace = new Trace(worker.path("trace"));
});
afterAll(() => whole.run());

const writes = (word: string) => trace.writes(word);
const traced = () => trace.lines;
/** Says that it runs, and goes on for longer than any test. */
const stays = (word: string, more = "") => `${writes(word)}; ${more} sleep 600 & wait`;

/** What is owed to the application, whatever becomes of the run. */
const owed = () => [
  { at: "postRun" as const, command: writes("end $STILLFRAME_OUTCOME") },
  { at: "postSnapshot" as const, command: writes("snapshot $STILLFRAME_OUTCOME") },
];

async function endsAsInterrupted(runId: string, lastPhase: string): Promise<void> {
  const ended = await worker.console.ended(runId);
  expect(ended, worker.console.story(runId)).toMatchObject({ outcome: "interrupted", code: "SF-106" });
  const cleaned = expect.arrayContaining([expect.stringMatching(/^made up for the post-run hook/)]);
  const failure = worker.console.eventsOf(runId).find((e) => e.type === "failure");
  expect(failure).toMatchObject({ evidence: { lastPhase, cleaned } });
  await expect.poll(() => worker.leftovers(), { timeout: 10_000 }).toEqual([]);
  expect(await worker.host.host("snapshot.list", {})).toEqual([]);
}

test("a hook before the freeze ends although it ignores TERM, and what is owed is run by the next worker", async () => {
  trace.clear();
  const hooks = [{ at: "preFreeze" as const, command: stays("begun", "trap '' TERM;") }, ...owed()];
  const runId = await worker.startRun({ volumes: ["one", "two"], command: writes("backup"), hooks });
  await expect.poll(traced, { timeout: 30_000 }).toEqual(["begun"]);
  await worker.kill();
  await expect.poll(() => processesWith(trace.path), { timeout: 20_000 }).toEqual([]);
  expect(traced()).toEqual(["begun"]);
  await worker.up();
  await endsAsInterrupted(runId, "preparing");
  expect(traced()).toEqual(["begun", "snapshot interrupted", "end interrupted"]);
});

test("a program that holds lets its application go in its own way, and one that is not ready yet ends", async () => {
  trace.clear();
  const hooks = [
    { at: "freezeHold" as const, command: `${writes("held")}; echo READY; cat; ${writes("let go")}` },
    { at: "freezeHold" as const, command: stays("second") },
    ...owed(),
  ];
  const runId = await worker.startRun({ volumes: ["one"], command: writes("backup"), hooks });
  await expect.poll(traced, { timeout: 30_000 }).toEqual(["held", "second"]);
  await worker.kill();
  await expect.poll(() => processesWith(trace.path), { timeout: 20_000 }).toEqual([]);
  expect(traced()).toEqual(["held", "second", "let go"]);
  await worker.up();
  await endsAsInterrupted(runId, "holding");
  expect(traced().slice(3)).toEqual(["snapshot interrupted", "end interrupted"]);
});

test("a hook after the snapshot that was killed while it ran is run again", async () => {
  trace.clear();
  const command = `${writes("$STILLFRAME_OUTCOME")}; [ "$STILLFRAME_OUTCOME" = interrupted ] || sleep 600`;
  const hooks = [{ at: "postSnapshot" as const, command }];
  const runId = await worker.startRun({ volumes: ["one"], command: "true", hooks });
  await expect.poll(traced, { timeout: 30_000 }).toEqual(["taken"]);
  await worker.kill();
  await worker.up();
  expect(await worker.console.ended(runId)).toMatchObject({ outcome: "interrupted" });
  expect(traced()).toEqual(["taken", "interrupted"]);
  await expect.poll(() => worker.leftovers(), { timeout: 10_000 }).toEqual([]);
});

test("a worker that is stopped in a hook ends it, and runs what is owed before it goes", async () => {
  trace.clear();
  const runId = await worker.startRun({
    volumes: ["one"],
    command: "true",
    hooks: [{ at: "preFreeze", command: stays("begun") }, ...owed()],
  });
  await expect.poll(traced, { timeout: 30_000 }).toEqual(["begun"]);
  await worker.stop();
  expect(await worker.console.ended(runId)).toMatchObject({ outcome: "interrupted", code: "SF-106" });
  expect(traced()).toEqual(["begun", "snapshot interrupted", "end interrupted"]);
  expect(processesWith(trace.path)).toEqual([]);
});
