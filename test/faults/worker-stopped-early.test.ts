/** A worker that is told to end while it comes up: what it has attached by then is detached, as if it had been up. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cleanup } from "../fixtures/cleanup";
import { runDirectoryOf } from "../fixtures/engine-process";
import { pause } from "../fixtures/native-program";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const COMES_UP_MS = 60_000;
const both = ["one", "two"];
const whole = new Cleanup();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  for (const name of both) await worker.host.host("practice.create", { name, sizeBytes: 64 * MIB });
  await worker.host.host("practice.writer", { name: "one", on: true });
});
afterAll(() => whole.run());

const mounts = () => readFileSync("/proc/self/mounts", "utf8").split("\n");
const ours = () => mounts().filter((line) => line.includes(worker.directory));

function hasKeeper(volume: string): boolean {
  try {
    return existsSync(join(runDirectoryOf(worker.run, volume), "keeper.pid"));
  } catch {
    return false;
  }
}

const moments: [string, () => boolean][] = [
  ["the first volume has a keeper", () => hasKeeper("one")],
  ["the first volume is mounted", () => mounts().some((line) => line.includes(` ${worker.mount("one")} `))],
  ["the second volume has a keeper", () => hasKeeper("two")],
  ["its socket is there", () => existsSync(join(worker.run, "worker.sock"))],
];

test.each(moments)("nothing stays attached when %s", async (_, reached) => {
  await worker.stop();
  expect(ours()).toEqual([]);
  const started = worker.begin();
  const deadline = performance.now() + COMES_UP_MS;
  while (!reached() && started.running && performance.now() < deadline) await pause(1);
  expect(reached(), started.output).toBe(true);
  await worker.stop();
  expect(await started.ended).toMatchObject({ exitCode: 0 });
  expect(ours()).toEqual([]);
  expect(both.filter(hasKeeper)).toEqual([]);
  // The volumes and the writer are still known: the next start brings all of it back.
  await worker.up();
  const volumes = await worker.host.host("volume.list", {});
  expect(volumes.filter((v) => v.practice).map(({ state }) => state)).toEqual(["attached", "attached"]);
});
