/** Which volumes a worker's runs are at, from the start of a run until its end has been told. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { z } from "zod";
import { hooksSchema } from "@/server/core/contracts/hooks";
import { openFileSchema, type RunSpec } from "@/server/core/contracts/job";
import type { RunEvent } from "@/server/core/contracts/run";
import type { Host } from "@/server/worker/host";
import { placesFromEnvironment } from "@/server/worker/places";
import { ActiveRuns } from "@/server/worker/runs/active-runs";
import type { Undoer } from "@/server/worker/snapshots/undo";
import { KnownVolumes } from "@/server/worker/volumes/known-volumes";
import { cleanupAfterEach } from "../fixtures/cleanup";

const cleanup = cleanupAfterEach();

/** All that a run needs of its host as long as it comes to no volume. */
function hostOfNoVolume(): Host {
  const home = mkdtempSync(join(tmpdir(), "stillframe-runs-"));
  cleanup.add("remove the home", () => rmSync(home, { recursive: true, force: true }));
  const places = placesFromEnvironment({ ...process.env, STILLFRAME_HOME: home, STILLFRAME_RUN: join(home, "run") });
  const undoer: Undoer = async ({ kind }) => {
    throw new Error(`${kind}: nothing was done that could be taken back`);
  };
  return { places, known: new KnownVolumes(places), undoer } as Host;
}

const run = (runId: string, hooks: z.input<typeof hooksSchema> = []): RunSpec => ({
  runId,
  jobId: "job",
  jobName: "Test",
  mode: "allAtOnce",
  selection: { volumes: ["alpha"], paths: [], excludes: [] },
  openFile: openFileSchema.parse({}),
  hooks: hooksSchema.parse(hooks),
  destination: { kind: "command", command: "true" },
  password: "",
});

test("a volume is taken until its run's end is told, and free at that very moment", async () => {
  const told: string[] = [];
  const runs = new ActiveRuns(hostOfNoVolume(), async (runId, { type }) => {
    told.push(`${runId} ${type}`);
    if (runId === "first" && type === "started") expect(() => runs.start(run("second"))).toThrow(/being backed up/);
    if (runId !== "first" || type !== "ended") return;
    expect([...runs.volumes()]).toEqual([]);
    cancelled = startCancelled("second");
  });
  let cancelled: Promise<void> | undefined;
  /** Cancelled before it comes to its volume: it goes from its start to its end. */
  const startCancelled = (runId: string): Promise<void> => {
    runs.start(run(runId));
    return runs.cancel(runId);
  };
  await startCancelled("first");
  await cancelled;
  expect(told).toEqual(["first started", "first ended", "second started", "second ended"]);
  expect(runs.ids()).toEqual([]);
});

/** A run whose volume is not there, to its end. `failingAt`: the number of the event whose storing throws. */
async function runWithFault(failingAt: number): Promise<{ told: RunEvent[]; stored: number; hook: string[] }> {
  const host = hostOfNoVolume();
  const trace = join(host.places.home, "trace");
  writeFileSync(trace, "");
  mkdirSync(host.places.undo, { recursive: true });
  const told: RunEvent[] = [];
  let stored = 0;
  const runs = new ActiveRuns(host, async (_, event) => {
    stored += 1;
    if (stored === failingAt) throw new Error("the disk of the outbox is gone");
    told.push(event);
  });
  const hook = { at: "postRun", command: `echo "$STILLFRAME_OUTCOME" >> '${trace}'` } as const;
  runs.start(run("one", [hook]));
  await expect.poll(() => runs.ids(), { timeout: 30_000 }).toEqual([]);
  expect(readdirSync(host.places.undo)).toEqual([]);
  return { told, stored, hook: readFileSync(trace, "utf8").split("\n").filter(Boolean) };
}

test("an error that nothing foresaw, at whatever event, ends a run as failed, with its last hooks and nothing held", async () => {
  const { stored, told } = await runWithFault(0);
  expect(told.at(-1)).toMatchObject({ type: "ended", outcome: "failed" });
  const unforeseen: string[] = [];
  for (let at = 1; at < stored; at += 1) {
    const { told, hook } = await runWithFault(at);
    expect(told.at(-1), `event ${at}`).toMatchObject({ type: "ended", outcome: "failed" });
    expect(hook, `event ${at}`).toEqual(["failed"]);
    for (const event of told) if (event.type === "failure") unforeseen.push(event.message);
  }
  expect(unforeseen).toContainEqual(
    expect.stringMatching(/unforeseen error while .*: the disk of the outbox is gone$/),
  );
});
