/** Jobs on real volumes: engine, file systems, freeze helper and restic, driven as the console drives them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { errorTable } from "@/server/core/errors/table";
import { mustRun } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../fixtures/background-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { pause } from "../fixtures/native-program";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
  await worker.host.host("practice.create", { name: "alpha", sizeBytes: 192 * MIB });
  await worker.host.host("practice.create", { name: "béta x", sizeBytes: 320 * MIB, fs: "xfs" });
  for (const name of ["alpha", "béta x"]) {
    mkdirSync(join(worker.mount(name), "docs"));
    writeFileSync(join(worker.mount(name), "docs", "letter [1].txt"), `letter of ${name}`);
  }
});
afterAll(() => whole.run());

const both = ["alpha", "béta x"];

/** Overwrites one file of a volume in place, again and again, until stopped. */
function overwriter(volume: string, mib: number): BackgroundProgram {
  const file = join(worker.mount(volume), "big.bin");
  const script = `while :; do dd if=/dev/urandom of="$1" bs=1M count=${mib} conv=notrunc,fsync status=none || exit 1; done`;
  return new BackgroundProgram(cleanup, "/bin/sh", ["-c", script, "overwriter", file]);
}

/** The run's journal goes only after its end was told, so the last of it may be there for a moment. */
async function nothingLeft(): Promise<void> {
  await expect.poll(() => worker.leftovers(), { timeout: 2000 }).toEqual([]);
}

describe("a job", () => {
  test("all at once backs both volumes up from one instant, and a file comes back byte for byte", async () => {
    const runId = await worker.startRun({ volumes: both });
    const ended = await worker.console.ended(runId);
    expect(ended.outcome, worker.console.story(runId)).toBe("succeeded");
    const frozen = worker.console.eventsOf(runId).filter((e) => e.type === "frozen");
    expect(frozen).toHaveLength(1);
    expect(frozen[0]?.volumes.map((v) => v.name).sort()).toEqual([...both].sort());

    const at = { repository: worker.repository, password: worker.password, runId };
    const docs = join(worker.mount("béta x"), "docs");
    const listed = await worker.host.host("restore.list", { ...at, path: docs });
    expect(listed.map((e) => e.path)).toEqual([join(docs, "letter [1].txt")]);
    const target = worker.path("restored");
    const restored = await worker.host.host("restore.start", {
      ...at,
      paths: [join(docs, "letter [1].txt")],
      target,
    });
    expect(restored).toEqual({ restoredFiles: 1, restoredBytes: "letter of béta x".length + 1 });
    expect(readFileSync(join(target, docs, "letter [1].txt"), "utf8")).toBe("letter of béta x");
    const all = await worker.host.host("restore.start", { ...at, paths: ["/"], target: worker.path("whole") });
    expect(all.restoredFiles).toBe(2);
    expect(readFileSync(join(worker.path("whole"), docs, "letter [1].txt"), "utf8")).toBe("letter of béta x");
    const again = worker.host.host("restore.start", { ...at, paths: ["/"], target });
    await expect(again).rejects.toThrow(/not empty/);
    const nowhere = worker.host.host("restore.start", { ...at, paths: ["/nowhere"], target: worker.path("none") });
    await expect(nowhere).rejects.toThrow(/does not hold/);
    expect(existsSync(worker.path("none"))).toBe(false);
    await nothingLeft();
  });

  test("one at a time takes the second snapshot only after the first cache is gone", async () => {
    const runId = await worker.startRun({ volumes: both, mode: "oneAtATime" });
    expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
    const order = worker.console
      .eventsOf(runId)
      .filter((e) => e.type === "frozen" || e.type === "snapshotReleased")
      .map((e) => `${e.type} ${e.group}`);
    expect(order).toEqual(["frozen 0", "snapshotReleased 0", "frozen 1", "snapshotReleased 1"]);
    const said = worker.console.eventsOf(runId).flatMap((e) => (e.type === "log" ? [e.text] : []));
    expect(said).toContainEqual(expect.stringMatching(/frozen at different instants, \d/));
    await nothingLeft();
  });

  test("backs up what was there at the instant, while the live file goes on changing", async () => {
    const file = join(worker.mount("alpha"), "note");
    writeFileSync(file, "before");
    const copy = worker.path("copy-of-note");
    const ready = worker.path("ready");
    const runId = await worker.startRun({
      volumes: ["alpha"],
      paths: [file],
      command: `touch '${ready}'; sleep 1; cat "$STILLFRAME_PATHS" > '${copy}'; echo copied`,
    });
    await worker.console.until(runId, (e) => e.type === "phase" && e.phase === "backingUp");
    writeFileSync(file, "after");
    expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
    expect(readFileSync(copy, "utf8")).toBe("before");
    expect(readFileSync(file, "utf8")).toBe("after");
    const result = worker.console.eventsOf(runId).find((e) => e.type === "volumeEnded");
    expect(result?.type === "volumeEnded" && result.result).toMatchObject({ provider: "engine", state: "succeeded" });
  });

  test("whose command fails says SF-103 with its last lines", async () => {
    const runId = await worker.startRun({ volumes: ["alpha"], command: "echo something went wrong >&2; exit 7" });
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "failed", code: "SF-103" });
    const failure = worker.console.eventsOf(runId).find((e) => e.type === "failure");
    expect(failure).toMatchObject({ evidence: { exitCode: 7, lines: ["something went wrong"] } });
    await nothingLeft();
  });

  test("whose repository has another password keeps what restic said, so that this cause is the one that is found", async () => {
    const repository = worker.path("elsewhere");
    await worker.host.host("repository.prepare", { repository, password: "one" });
    const runId = await worker.startRun({ volumes: ["alpha"], repository });
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "failed", code: "SF-103" });
    const failure = worker.console.eventsOf(runId).find((e) => e.type === "failure");
    const evidence = failure?.type === "failure" ? failure.evidence : {};
    expect(failure).toMatchObject({ message: `${repository} does not open with this password` });
    expect(evidence).toMatchObject({ exitCode: expect.any(Number) });
    const { causes } = errorTable["SF-103"];
    expect(causes.filter((cause) => cause.check(evidence) === "true").map((cause) => cause.id)).toEqual(["password"]);
    await nothingLeft();
  });

  test("with a selected path that does not exist fails as a00084af and says whether it exists live", async () => {
    const path = join(worker.mount("alpha"), "docs", "gone");
    const runId = await worker.startRun({ volumes: ["alpha"], paths: [join(worker.mount("alpha"), "docs"), path] });
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "failed", code: "a00084af" });
    const failure = worker.console.eventsOf(runId).find((e) => e.type === "failure");
    expect(failure).toMatchObject({ evidence: { path, errno: 2, existsLive: false, snapshotReleased: false } });
    await nothingLeft();
  });

  test("that finds no quiet window and shall fail then says OFO-QUIET and who writes", async () => {
    const file = join(worker.mount("alpha"), "busy");
    const script = 'exec 3>>"$1"; while :; do echo x >&3; sync "$1"; sleep 0.02; done';
    const writer = new BackgroundProgram(cleanup, "/bin/sh", ["-c", script, "busy-writer", file]);
    const quiet = { minimumMs: 2000, timeoutMs: 1500, atTimeout: "fail" as const };
    const runId = await worker.startRun({ volumes: ["alpha"], openFile: { quiet } });
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "failed", code: "OFO-QUIET" });
    const failure = worker.console.eventsOf(runId).find((e) => e.type === "failure");
    const evidence = failure?.type === "failure" ? failure.evidence : {};
    expect(evidence).toMatchObject({ minimumMs: 2000, timeoutMs: 1500 });
    expect(evidence.writers).toContainEqual(expect.objectContaining({ pid: writer.pid, paths: [file] }));
    expect(Number(evidence.longestGapMs)).toBeLessThan(2000);
    await writer.stop();
    await nothingLeft();
  });

  test("whose ignored paths are written to all the time has its window, and its log says by whom", async () => {
    const script = 'exec 3>>"$1"; while :; do echo x >&3; sync "$1"; sleep 0.02; done';
    const log = join(worker.mount("béta x"), "docs", "app log");
    const writer = new BackgroundProgram(cleanup, "/bin/sh", ["-c", script, "busy-writer", log]);
    const quiet = { minimumMs: 300, timeoutMs: 20_000, ignorePaths: [join(worker.mount("béta x"), "docs")] };
    const runId = await worker.startRun({ volumes: both, openFile: { quiet }, command: "true" });
    expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
    const events = worker.console.eventsOf(runId);
    expect(events).toContainEqual(expect.objectContaining({ type: "quietEnded", timedOut: false }));
    const text = expect.stringMatching(new RegExp(`docs were ignored: \\d+ by sh \\(pid ${writer.pid}\\)$`));
    expect(events).toContainEqual(expect.objectContaining({ type: "log", level: "info", text }));
    await writer.stop();
    await nothingLeft();
  });

  test("waits for a quiet window and says where it was", async () => {
    const runId = await worker.startRun({ volumes: both, openFile: { quiet: { minimumMs: 200, timeoutMs: 20_000 } } });
    expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
    const quiet = worker.console.eventsOf(runId).find((e) => e.type === "quietEnded");
    expect(quiet).toMatchObject({ timedOut: false, from: expect.any(String) });
  });

  test("on a volume that another run is at is refused, naming that run", async () => {
    const runId = await worker.startRun({ volumes: ["alpha"], command: "sleep 30" });
    await worker.console.until(runId, (e) => e.type === "phase" && e.phase === "backingUp");
    await expect(worker.startRun({ volumes: both })).rejects.toThrow(runId);
    await worker.host.host("run.cancel", { runId });
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "cancelled", code: null });
    await nothingLeft();
  });

  test("without the open-file option reads the live volume, takes no snapshot and does not warn", async () => {
    const runId = await worker.startRun({ volumes: ["alpha"], openFile: { enabled: false }, command: "exit 0" });
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "succeeded", code: null });
    const result = worker.console.eventsOf(runId).find((e) => e.type === "volumeEnded");
    expect(result?.type === "volumeEnded" && result.result).toMatchObject({ provider: "none", takenAt: null });
  });

  test("on a volume that cannot be snapped fails as SF-105, or reads it live with a warning", async () => {
    const failing = await worker.startRun({ volumes: ["no such volume"] });
    expect(await worker.console.ended(failing)).toMatchObject({ outcome: "failed", code: "SF-105" });
    const tiny = { cache: { location: join(worker.mount("alpha")) }, noSnapshot: "readLive" as const };
    const live = await worker.startRun({ volumes: ["alpha"], openFile: tiny, command: "exit 0" });
    expect(await worker.console.ended(live), worker.console.story(live)).toMatchObject({ outcome: "warnings" });
    const result = worker.console.eventsOf(live).find((e) => e.type === "volumeEnded");
    expect(result?.type === "volumeEnded" && result.result).toMatchObject({ provider: "none", code: "a000851c" });
  });
});

describe("a run that is cancelled while it reads live", () => {
  test.each([
    ["whose program waits for it", "wait"],
    ["whose program has ended", "exit 0"],
  ])("leaves no process behind that would not end by itself, %s", async (_, then) => {
    const going = worker.path(`stubborn-${then.replace(" ", "-")}`);
    const command = `(trap '' TERM; touch '${going}'; while :; do sleep 1; done) & ${then}`;
    const runId = await worker.startRun({ volumes: ["alpha"], openFile: { enabled: false }, command });
    await vi.waitUntil(() => existsSync(going), { timeout: 20_000 });
    await worker.host.host("run.cancel", { runId });
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "cancelled" });
    await nothingLeft();
  });
});

describe("caches", () => {
  test("that overflow fail the run once with a000851c and its evidence; no write on the live volume fails", async () => {
    const writer = overwriter("alpha", 100);
    await pause(3000);
    const openFile = { cache: { maxBytes: 8 * MIB } };
    const runId = await worker.startRun({ volumes: both, openFile, command: "sleep 60" });
    expect(await worker.console.ended(runId)).toMatchObject({ outcome: "failed", code: "a000851c" });
    const failures = worker.console.eventsOf(runId).filter((e) => e.type === "failure");
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ volume: "alpha", evidence: { cause: "maximumReached", maxBytes: 8 * MIB } });
    expect(writer.running, writer.output).toBe(true);
    await writer.stop();
    await nothingLeft();
  });

  test("that do not fit all at once fit one at a time", async () => {
    const location = worker.path("small-disk");
    mkdirSync(location);
    await mustRun("mount", ["-t", "tmpfs", "-o", "size=150m", "tmpfs", location]);
    cleanup.add("unmount the small disk", () => mustRun("umount", [location]));
    const openFile = { cache: { location, maxBytes: 100 * MIB } };
    const all = await worker.startRun({ volumes: both, openFile });
    expect(await worker.console.ended(all)).toMatchObject({ outcome: "failed", code: "a000851c" });
    const failure = worker.console.eventsOf(all).find((e) => e.type === "failure");
    expect(failure).toMatchObject({
      evidence: {
        cause: "noLocation",
        needAllAtOnceBytes: 200 * MIB,
        needOneAtATimeBytes: 100 * MIB,
        locations: [expect.objectContaining({ path: location, turnedDown: expect.stringContaining("needs") })],
      },
    });
    const each = await worker.startRun({ volumes: both, openFile, mode: "oneAtATime" });
    expect((await worker.console.ended(each)).outcome, worker.console.story(each)).toBe("succeeded");
    await nothingLeft();
  });
});
