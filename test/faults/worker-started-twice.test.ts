/** Two workers on the same files: the second ends and says why, also while the first is only coming up. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { runDirectoryOf } from "../fixtures/engine-process";
import { pause } from "../fixtures/native-program";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "vol", sizeBytes: 64 * MIB });
});
afterAll(() => whole.run());

const state = async () => (await worker.host.host("volume.list", {})).find((v) => v.name === "vol")?.state;

function hasKeeper(): boolean {
  try {
    return existsSync(join(runDirectoryOf(worker.run, "vol"), "keeper.pid"));
  } catch {
    return false;
  }
}

test("a second worker ends while the first comes up, and touches none of its files", async () => {
  await worker.stop();
  const first = worker.begin();
  while (!hasKeeper()) await pause(1);
  process.kill(-first.pid, "SIGSTOP");
  cleanup.add("go on", () => first.running && process.kill(-first.pid, "SIGCONT"));
  const files = () => readdirSync(join(worker.home, "worker"), { recursive: true }).map(String).sort();
  const before = files();
  const second = worker.beginAnother(cleanup);
  const ended = await Promise.race([second.ended, pause(20_000)]);
  expect(ended, second.output).toMatchObject({ exitCode: 1, output: expect.stringContaining("another worker") });
  expect(files()).toEqual(before);
  process.kill(-first.pid, "SIGCONT");
  await worker.comesUp(first);
  expect(await state()).toBe("attached");
});

test("a second worker ends while the first is up", async () => {
  const second = worker.beginAnother(cleanup);
  expect(await second.ended).toMatchObject({ exitCode: 1, output: expect.stringContaining("another worker") });
  expect(await state()).toBe("attached");
});

test("a worker that was killed is in nobody's way", async () => {
  await worker.kill();
  await worker.up();
  expect(await state()).toBe("attached");
});
