/** Runs whose worker meets a fault of its own state's disk: they end, they say so, and nothing is held. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "one", sizeBytes: 128 * MIB });
  writeFileSync(join(worker.mount("one"), "big"), Buffer.alloc(48 * MIB, "old "), { flush: true });
});
afterAll(() => whole.run());

/** A backup that waits until a file is there. */
const waiting = (go: string) => `while [ ! -e '${go}' ]; do sleep 0.05; done`;

async function backingUp(runId: string): Promise<void> {
  await worker.console.until(runId, (e) => e.type === "phase" && e.phase === "backingUp");
}

test("journals that cannot be written fail a run, and keep it neither from releasing nor from its end", async () => {
  const go = worker.path("go");
  const undo = join(worker.home, "worker", "undo");
  const runId = await worker.startRun({ volumes: ["one"], command: waiting(go) });
  await backingUp(runId);
  const aside = worker.path("aside");
  mkdirSync(aside);
  await mustRun("mount", ["--bind", undo, aside]);
  cleanup.add("the mount made aside", () => mustRun("umount", [aside]).catch(() => {}));
  await mustRun("mount", ["--options", "remount,ro,bind", aside]);
  // Read-only before the worker finds it there: a mount that it writes to would be busy.
  await mustRun("mount", ["--move", aside, undo]);
  const writable = async () => mustRun("umount", [undo]);
  cleanup.add("make the journals writable", () => writable().catch(() => {}));
  writeFileSync(go, "");
  const ended = await worker.console.ended(runId);
  expect(ended.outcome, worker.console.story(runId)).toBe("failed");
  const failure = worker.console.eventsOf(runId).find((e) => e.type === "failure");
  expect(failure).toMatchObject({ message: expect.stringMatching(/EROFS/) });
  expect(await worker.host.host("snapshot.list", {})).toEqual([]);
  expect((await worker.leftovers()).filter((left) => !left.startsWith(undo))).toEqual([]);
  await writable();
  await expect.poll(() => worker.leftovers(), { timeout: 60_000 }).toEqual([]);
});

test("a snapshot that is lost while the worker's own settings cannot be read is told as what it is", async () => {
  const settings = join(worker.home, "worker", "cache-locations.json");
  const never = worker.path("never");
  const runId = await worker.startRun({
    volumes: ["one"],
    command: waiting(never),
    openFile: { cache: { initialBytes: 4 * MIB, maxBytes: 8 * MIB } },
  });
  await backingUp(runId);
  expect(existsSync(settings)).toBe(false);
  mkdirSync(settings);
  cleanup.add("the settings", () => rmSync(settings, { recursive: true, force: true }));
  writeFileSync(join(worker.mount("one"), "big"), Buffer.alloc(48 * MIB, "new "), { flush: true, flag: "r+" });
  const ended = await worker.console.ended(runId);
  expect(ended, worker.console.story(runId)).toMatchObject({ outcome: "failed", code: "a000851c" });
  rmSync(settings, { recursive: true });
  expect(await worker.host.host("snapshot.list", {})).toEqual([]);
  await expect.poll(() => worker.leftovers(), { timeout: 60_000 }).toEqual([]);
});
