/** A keeper's process id that the kernel has given to another program since: that program is left alone. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readStat } from "@/server/worker/programs/processes";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { childrenOf, killWithKeeper, runDirectoryOf } from "../fixtures/engine-process";
import { pause } from "../fixtures/native-program";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "vol", sizeBytes: 64 * MIB });
  writeFileSync(file(), "known", { flush: true });
});
afterAll(() => whole.run());

const file = () => join(worker.mount("vol"), "file");
const run = () => runDirectoryOf(worker.run, "vol");
const works = async () => {
  await worker.host.host("engine.restart", { volume: "vol" });
  expect(readFileSync(file(), "utf8")).toBe("known");
  writeFileSync(file(), "known", { flush: true });
};

test("a restart of a dead engine mends the volume and kills nothing of a stranger that has its keeper's id now", async () => {
  const stranger = new BackgroundProgram(cleanup, "/bin/sh", ["-c", "sleep 600 & wait"]);
  while (childrenOf(stranger.pid).length === 0) await pause(10);
  const children = childrenOf(stranger.pid);
  await killWithKeeper(run());
  writeFileSync(join(run(), "keeper.pid"), String(stranger.pid));
  await works();
  expect(stranger.running).toBe(true);
  expect(childrenOf(stranger.pid)).toEqual(children);
});

test("a keeper that is just writing its id down is not taken for dead", async () => {
  const path = join(run(), "keeper.pid");
  const keeper = readFileSync(path, "utf8");
  writeFileSync(path, "");
  const restarted = works();
  await pause(100);
  writeFileSync(path, keeper);
  await restarted;
  expect((await readStat(Number(keeper)))?.state ?? "gone").toMatch(/[RSD]/);
});
