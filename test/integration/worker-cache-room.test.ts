/**
 * The live volume never suffers: when a cache is too small for what is overwritten during a backup, every write goes
 * through and the data is right; the run fails once and says why, and one volume at a time has the room that all at
 * once lacks.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";
import { cacheFullEvidence } from "@/server/core/errors/evidence";
import { mustRun } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { type RunWish, WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;
/** Size of the file `data` on each of the volumes that are written to. */
const dataMib = { ledger: 78, "store ü": 200 };
const four = ["ledger", "store ü", "third", "fourth"];

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "ledger", sizeBytes: 160 * MIB });
  await worker.host.host("practice.create", { name: "store ü", sizeBytes: 320 * MIB, fs: "xfs" });
  for (const name of ["third", "fourth"]) await worker.host.host("practice.create", { name, sizeBytes: 64 * MIB });
  for (const volume of ["ledger", "store ü"] as const) await overwrite(volume).mustSucceed();
});
afterAll(() => whole.run());

function dataOf(volume: keyof typeof dataMib): string {
  return join(worker.mount(volume), "data");
}

/** Overwrites every block of a volume's data once, in random order, then reads all back; fails on the first error. */
function overwrite(volume: keyof typeof dataMib): BackgroundProgram {
  return new BackgroundProgram(cleanup, "fio", [
    ...["--name=overwrite", `--filename=${dataOf(volume)}`, `--size=${dataMib[volume]}m`, "--rw=randwrite", "--bs=64k"],
    ...["--randrepeat=0", "--refill_buffers", "--direct=1", "--ioengine=libaio", "--iodepth=4", "--end_fsync=1"],
    ...["--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0", "--eta=never", "--thread"],
  ]);
}

/** A disk of its own for caches, so that its room is known. */
async function smallDisk(mib: number): Promise<string> {
  const location = worker.path(`disk-of-${mib}`);
  mkdirSync(location);
  await mustRun("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", location]);
  cleanup.add("unmount the small disk", () => mustRun("umount", [location]));
  return location;
}

interface LoadedRun {
  runId: string;
  /** Hash of the volume's data at the instant of its snapshot. */
  before: string;
  /** The same as the backup command read it after everything had been overwritten. */
  backedUp: string;
}

/** A job whose command begins to read when the volume's data has been overwritten and verified. */
async function runUnderLoad(volume: keyof typeof dataMib, wish: RunWish): Promise<LoadedRun> {
  const [written, read] = [worker.path("written"), worker.path("read")];
  for (const path of [written, read]) rmSync(path, { force: true });
  const before = createHash("sha256")
    .update(readFileSync(dataOf(volume)))
    .digest("hex");
  const command = `while [ ! -e '${written}' ]; do sleep 0.1; done; sha256sum < '${dataOf(volume)}' >> '${read}'`;
  const runId = await worker.startRun({ ...wish, command });
  await worker.console.until(runId, (e) => e.type === "phase" && ["backingUp", "releasing"].includes(e.phase));
  await overwrite(volume).mustSucceed();
  writeFileSync(written, "");
  await worker.console.ended(runId);
  let backedUp = "";
  try {
    backedUp = readFileSync(read, "utf8").slice(0, 64);
  } catch {
    // the command never came to read
  }
  return { runId, before, backedUp };
}

/** The run failed once, for its cache, and nothing of it is left. Returns what is kept of that failure. */
async function failedForItsCache(runId: string): Promise<z.output<typeof cacheFullEvidence>> {
  const events = worker.console.eventsOf(runId);
  const failures = events.flatMap((e) => (e.type === "failure" ? [e] : []));
  expect(
    failures.map((e) => e.code),
    worker.console.story(runId),
  ).toEqual(["a000851c"]);
  expect(events.flatMap((e) => (e.type === "ended" ? [[e.outcome, e.code]] : []))).toEqual([["failed", "a000851c"]]);
  expect(await worker.leftovers()).toEqual([]);
  return cacheFullEvidence.parse(failures[0]?.evidence);
}

async function succeededFrozen({ runId, before, backedUp }: LoadedRun): Promise<void> {
  const ended = await worker.console.ended(runId);
  expect(ended, worker.console.story(runId)).toMatchObject({ outcome: "succeeded", code: null });
  expect(backedUp).toBe(before);
  expect(await worker.leftovers()).toEqual([]);
}

test("four caches that share a disk overflow under a load that one alone has room for", async () => {
  const openFile = { cache: { location: await smallDisk(300) } };
  const job = { volumes: four, openFile };

  const all = await runUnderLoad("ledger", job);
  const evidence = await failedForItsCache(all.runId);
  expect(evidence).toMatchObject({ cause: "maximumReached", volume: "ledger", mode: "allAtOnce", errno: null });
  const shareBytes = evidence.maxBytes ?? 0;
  expect(shareBytes).toBeLessThan(dataMib.ledger * MIB);
  expect(evidence.locations).toMatchObject([{ path: openFile.cache.location, neededBytes: shareBytes }]);
  const fill = evidence.curve.map((point) => point.usedBytes);
  expect(fill.length).toBeGreaterThan(1);
  expect(fill).toEqual([...fill].sort((a, b) => a - b));
  expect(evidence.needAllAtOnceBytes).toBeGreaterThan(evidence.needOneAtATimeBytes ?? Number.NaN);
  expect(evidence.needOneAtATimeBytes).toBeGreaterThanOrEqual(dataMib.ledger * MIB);

  await succeededFrozen(await runUnderLoad("ledger", { ...job, mode: "oneAtATime" }));
});

test("a cache of 8 MiB fails the run once while 200 MiB are overwritten, and no write is lost", async () => {
  const openFile = { cache: { maxBytes: 8 * MIB } };
  const { runId } = await runUnderLoad("store ü", { volumes: ["store ü", "ledger"], openFile });
  const evidence = await failedForItsCache(runId);
  expect(evidence).toMatchObject({ cause: "maximumReached", volume: "store ü", maxBytes: 8 * MIB });
  expect(evidence.needAllAtOnceBytes).toBeGreaterThan(evidence.needOneAtATimeBytes ?? Number.NaN);
});

test("a disk with room for one cache turns two down before anything is frozen, and holds them one at a time", async () => {
  const location = await smallDisk(320);
  const job = { volumes: ["store ü", "ledger"], openFile: { cache: { location, maxBytes: 220 * MIB } } };

  const all = await runUnderLoad("store ü", job);
  const evidence = await failedForItsCache(all.runId);
  expect(evidence).toMatchObject({
    cause: "noLocation",
    locations: [{ path: location, turnedDown: expect.stringContaining("needs") }],
  });
  expect(worker.console.eventsOf(all.runId).map((e) => e.type)).not.toContain("frozen");

  await succeededFrozen(await runUnderLoad("store ü", { ...job, mode: "oneAtATime" }));
});
