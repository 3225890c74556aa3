/** Which volumes a worker's runs are at, from the start of a run until its end has been told. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFileSchema, type RunSpec } from "@/server/core/contracts/job";
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

const run = (runId: string): RunSpec => ({
  runId,
  jobId: "job",
  jobName: "Test",
  mode: "allAtOnce",
  selection: { volumes: ["alpha"], paths: [], excludes: [] },
  openFile: openFileSchema.parse({}),
  hooks: [],
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
