/** What begins on a volume while it is being detached is refused; and a detach that fails leaves the volume in use. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { EngineClient } from "@/server/worker/engine/client";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { runDirectoryOf } from "../fixtures/engine-process";
import { pause } from "../fixtures/native-program";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const openFile = { quiet: { minimumMs: 0 } };
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;
let reader: FileHandle;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "vol", sizeBytes: 64 * MIB });
  writeFileSync(file(), "known", { flush: true });
});
afterAll(() => whole.run());

beforeEach(async () => {
  const volume = (await worker.host.host("volume.list", {})).find((v) => v.name === "vol");
  reader = await open(volume?.device ?? "", "r");
  cleanup.add("close the device", () => reader.close().catch(() => {}));
});

const file = () => join(worker.mount("vol"), "file");

/** A detach that has unmounted the volume, and waits for the reader of its device to close it. */
async function detaching(): Promise<{ outcome: Promise<unknown> }> {
  const outcome = worker.host.host("volume.detach", { name: "vol" }).then(
    () => "detached",
    (error: Error) => error.message,
  );
  while (existsSync(file())) await pause(5);
  await pause(200);
  return { outcome };
}

test("a detach that fails when its device is gone already leaves the volume mounted, on another device", async () => {
  const run = runDirectoryOf(worker.run, "vol");
  const engine = await EngineClient.open(join(run, "engine.sock"));
  cleanup.add("close the connection", () => engine.close());
  const { outcome } = await detaching();
  await engine.request("prepare", {
    snapshot: "meanwhile",
    cache: { directory: worker.path("caches"), initialBytes: 4 * MIB, maxBytes: 64 * MIB },
    whenFull: "release",
    holdMs: 0,
    skipFreeBlocks: true,
    spill: [],
  });
  await reader.close();
  expect(await outcome).toMatch(/1 snapshots are open/);
  expect(readFileSync(file(), "utf8")).toBe("known");
  writeFileSync(file(), "written", { flush: true });
  expect((await worker.host.host("volume.list", {})).find((v) => v.name === "vol")).toMatchObject({
    state: "attached",
    mount: worker.mount("vol"),
  });
  await engine.request("release", { snapshot: "meanwhile" });
});

test("no run, snapshot or exec begins on a volume that is being detached", async () => {
  const { outcome } = await detaching();
  const refusals = await Promise.all(
    [
      worker.startRun({ volumes: ["vol"], command: "true" }),
      worker.host.host("snapshot.create", { volumes: ["vol"], openFile }),
      worker.host.host("exec.begin", { volumes: ["vol"], openFile }),
    ].map((asked: Promise<unknown>) =>
      asked.then(
        () => "begun",
        (error: Error) => error.message,
      ),
    ),
  );
  await reader.close();
  expect(refusals).toEqual(Array(3).fill(expect.stringContaining('volume "vol" is being detached')));
  expect(await outcome).toBe("detached");
  const source = join(worker.home, "practice", "vol", "volume.img");
  await worker.host.host("volume.attach", { source });
  const runId = await worker.startRun({ volumes: ["vol"], command: "true" });
  expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
});
