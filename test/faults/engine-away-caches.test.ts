/** While an engine is dead and its successor not there yet, nobody holds its cache: it is no orphan for that. */
import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readStat } from "@/server/worker/programs/processes";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { childrenOf, keeperOf, killWithKeeper, runDirectoryOf } from "../fixtures/engine-process";
import { pause } from "../fixtures/native-program";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "vol", sizeBytes: 64 * MIB });
  writeFileSync(file(), Buffer.alloc(8 * MIB, "before"), { flush: true });
});
afterAll(() => whole.run());

const file = () => join(worker.mount("vol"), "file");
const run = () => runDirectoryOf(worker.run, "vol");
const removeOrphans = () => worker.host.host("cache.removeOrphans", {});

/** A snapshot with pre-images in a cache that was last written to long ago. */
async function taken(): Promise<{ id: string; cache: string }> {
  const { snapshots } = await worker.host.host("snapshot.create", {
    volumes: ["vol"],
    openFile: { quiet: { minimumMs: 0 } },
  });
  const [snapshot] = snapshots;
  if (snapshot === undefined) throw new Error("no snapshot was taken");
  writeFileSync(file(), Buffer.alloc(8 * MIB, "after"), { flag: "r+", flush: true });
  const id = run().split("/").at(-1);
  const cache = join(snapshot.cacheLocation ?? "", "stillframe-cache", `${id}.cache`);
  utimesSync(cache, 1, 1);
  return { id: snapshot.id, cache };
}

test("a cache whose engine is being replaced is not removed, and the snapshot can be read on", async () => {
  const { id, cache } = await taken();
  const keeper = keeperOf(run());
  process.kill(keeper, "SIGSTOP");
  cleanup.add("go on", () => process.kill(keeper, "SIGCONT"));
  const engines = childrenOf(keeper);
  for (const pid of engines) process.kill(pid, "SIGKILL");
  for (const pid of engines) while ((await readStat(pid))?.state !== "Z") await pause(1);
  expect(await removeOrphans()).toEqual({ removed: [], freedBytes: 0 });
  expect(existsSync(cache)).toBe(true);
  process.kill(keeper, "SIGCONT");
  const target = worker.path("frozen");
  await worker.host.host("snapshot.mount", { id, target });
  expect(readFileSync(join(target, "file")).equals(Buffer.alloc(8 * MIB, "before"))).toBe(true);
  await worker.host.host("snapshot.release", { id });
  expect(existsSync(cache)).toBe(false);
});

test("a cache that died with keeper and engine is an orphan as soon as a new engine does not know it", async () => {
  const { cache } = await taken();
  await killWithKeeper(run());
  expect(await worker.host.host("host.repair", {})).toMatchObject({ ok: true });
  expect(existsSync(cache)).toBe(false);
});
