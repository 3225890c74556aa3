/** Volumes, snapshots and sessions through the worker's local socket, with a real engine underneath. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WorkerConnection } from "@/server/cli/worker-connection";
import { isWholePage } from "@/server/worker/practice/practice-writer";
import { mustRun, runProgram } from "@/server/worker/programs/run-program";
import { Cleanup, cleanupAfterEach } from "../fixtures/cleanup";
import { pause } from "../fixtures/native-program";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const whole = new Cleanup();
const cleanup = cleanupAfterEach();
let worker: WorkerUnderTest;
const noWait = { quiet: { minimumMs: 0 } };

beforeAll(async () => {
  worker = await WorkerUnderTest.start(whole);
});
afterAll(() => whole.run());

async function image(name: string, mib: number, format = true): Promise<string> {
  const path = worker.path(name);
  writeFileSync(path, "");
  truncateSync(path, mib * MIB);
  if (format) await mustRun("mkfs.ext4", ["-q", "-F", path]);
  return path;
}

describe("attaching", () => {
  test("puts the engine under an image, and detaching leaves the image as an ordinary one", async () => {
    const source = await image("plain.img", 32);
    const mount = worker.path("plain mount ü");
    const volume = await worker.host.host("volume.attach", { source, mount, name: "plain ü" });
    expect(volume).toMatchObject({
      name: "plain ü",
      mount,
      source,
      fsType: "ext4",
      provider: "engine",
      state: "attached",
    });
    const listed = async () => (await worker.host.host("volume.list", {})).find(({ name }) => name === "plain ü");
    await vi.waitUntil(async () => (await listed())?.transport !== undefined, { timeout: 60_000 });
    const { transport, notUblkBecause } = (await listed()) ?? {};
    expect(notUblkBecause === undefined).toBe(transport === "ublk" || process.env.STILLFRAME_TRANSPORT !== undefined);
    writeFileSync(join(mount, "file"), "content");
    await expect(worker.host.host("volume.attach", { source })).rejects.toThrow(/already attached as volume "plain ü"/);
    await worker.host.host("volume.detach", { name: "plain ü" });
    await mustRun("mount", ["-o", "loop", source, mount]);
    cleanup.add("unmount", () => mustRun("umount", [mount]));
    expect(readFileSync(join(mount, "file"), "utf8")).toBe("content");
  });

  test("a mounted volume needs leave to be mounted again, and gets its mount back when it is detached", async () => {
    const source = await image("mounted.img", 32);
    const mount = worker.path("mounted");
    mkdirSync(mount);
    await mustRun("mount", ["-o", "loop", source, mount]);
    cleanup.add("unmount", () => runProgram("umount", [mount]));
    writeFileSync(join(mount, "file"), "kept");
    await expect(worker.host.host("volume.attach", { source: mount })).rejects.toThrow(/mounted at/);
    await expect(worker.host.host("volume.attach", { source })).rejects.toThrow(/mounted at/);
    await worker.host.host("volume.attach", { source: mount, remount: true });
    expect(readFileSync(join(mount, "file"), "utf8")).toBe("kept");
    await worker.host.host("volume.detach", { name: mount });
    expect(readFileSync(join(mount, "file"), "utf8")).toBe("kept");
  });

  test("a volume that was mounted before is mounted without the engine while Stillframe is off", async () => {
    const source = await image("returned.img", 32);
    const mount = worker.path("returned");
    mkdirSync(mount);
    await mustRun("mount", ["-o", "loop", source, mount]);
    cleanup.add("unmount", () => runProgram("umount", [mount]));
    writeFileSync(join(mount, "file"), "kept");
    await worker.host.host("volume.attach", { source: mount, remount: true });
    const state = async () => (await worker.host.host("volume.list", {})).find((v) => v.mount === mount)?.state;
    await worker.stop();
    expect(readFileSync(join(mount, "file"), "utf8")).toBe("kept");
    await worker.up();
    expect(await state()).toBe("attached");
    expect(readFileSync(join(mount, "file"), "utf8")).toBe("kept");
    await worker.host.host("volume.detach", { name: mount });
  });

  test("a volume is whole after a detach while a session holds another, or the detach is refused", async () => {
    for (const name of ["held", "other"]) await worker.host.host("practice.create", { name, sizeBytes: 64 * MIB });
    const session = await worker.host.host("exec.begin", { volumes: ["held"], openFile: noWait });
    writeFileSync(join(worker.mount("other"), "file"), "whole");
    const outcome = await worker.host.host("volume.detach", { name: "other" }).catch((error: Error) => error);
    // Where the host's mounts are shared, the unmount reaches the session's namespace too, and nothing is in the way.
    if (outcome instanceof Error) expect(outcome.message).toMatch(/another mount namespace/);
    else await worker.host.host("volume.attach", { source: join(worker.home, "practice", "other", "volume.img") });
    expect(readFileSync(join(worker.mount("other"), "file"), "utf8")).toBe("whole");
    await worker.host.host("exec.end", { session: session.session });
    await worker.host.host("practice.remove", { name: "other" });
    await worker.host.host("practice.remove", { name: "held" });
  });

  test("refuses what is missing, too small, a plain directory or without a file system, each in a sentence", async () => {
    const attach = (source: string, more = {}) => worker.host.host("volume.attach", { source, ...more });
    await expect(attach("/no/such/image")).rejects.toThrow(/does not exist/);
    const small = worker.path("small.img");
    writeFileSync(small, "x".repeat(1000));
    await expect(attach(small)).rejects.toThrow(/too small/);
    await expect(attach(worker.directory)).rejects.toThrow(/not a mount point/);
    await expect(attach("/")).rejects.toThrow(/root file system/);
    const empty = await image("empty.img", 8, false);
    await expect(attach(empty, { mount: worker.path("empty") })).rejects.toThrow(/no file system/);
    expect((await worker.host.host("volume.list", {})).filter((v) => v.provider === "engine")).toEqual([]);
  });

  test("a busy volume stays attached, and the refusal names who uses it", async () => {
    const source = await image("busy.img", 32);
    const mount = worker.path("busy");
    await worker.host.host("volume.attach", { source, mount, name: "busy" });
    const file = join(mount, "held");
    const { BackgroundProgram } = await import("../fixtures/background-program");
    const holder = new BackgroundProgram(cleanup, "/bin/sh", ["-c", 'exec 3>"$1"; sleep 60', "holder", file]);
    while (!existsSync(file)) await pause(20);
    await expect(worker.host.host("volume.detach", { name: "busy" })).rejects.toThrow(new RegExp(`${holder.pid}`));
    await holder.stop();
    await worker.host.host("volume.detach", { name: "busy" });
  });
});

describe("a practice volume", () => {
  test("is written to like a database server, and its frozen image is consistent", async () => {
    const volume = await worker.host.host("practice.create", { name: "shop ä", sizeBytes: 96 * MIB, writer: true });
    expect(volume).toMatchObject({ name: "shop ä", practice: true, writer: true, state: "attached" });
    const mount = worker.mount("shop ä");
    while (!existsSync(join(mount, "shop", "app.log"))) await pause(50);
    await pause(1000);
    const { snapshots } = await worker.host.host("snapshot.create", { volumes: ["shop ä"], openFile: noWait });
    const target = worker.path("frozen");
    const id = snapshots[0]?.id ?? "";
    await worker.host.host("snapshot.mount", { id, target });
    const pages = readFileSync(join(target, "shop", "shop.db"));
    const wal = readFileSync(join(target, "shop", "shop.wal"));
    for (let at = 0; at < wal.length; at += 4096) {
      const page = wal.subarray(at, at + 4096);
      const number = page.length === 4096 ? page.readUInt32LE(4) : -1;
      if (number >= 0 && isWholePage(page, number)) page.copy(pages, number * 4096);
    }
    for (let n = 0; n < pages.length / 4096; n += 1) {
      expect(isWholePage(pages.subarray(n * 4096, (n + 1) * 4096), n), `page ${n}`).toBe(true);
    }
    await expect(worker.host.host("practice.remove", { name: "shop ä" })).rejects.toThrow(/open snapshot/);
    await worker.host.host("snapshot.release", { id });
    await worker.host.host("practice.remove", { name: "shop ä" });
    expect(existsSync(mount)).toBe(false);
    expect(existsSync(join(worker.home, "practice", "shop ä"))).toBe(false);
  });

  test("that cannot be made leaves nothing behind", async () => {
    const create = (wish: object) =>
      worker.host.host("practice.create", { name: "never", sizeBytes: 64 * MIB, ...wish });
    await expect(create({ fs: "xfs" })).rejects.toThrow(/300 MiB/);
    await expect(create({ sizeBytes: 1024 * 1024 * MIB })).rejects.toThrow(/free/);
    expect(existsSync(join(worker.home, "practice", "never"))).toBe(false);
    expect(await worker.host.host("volume.list", {})).not.toContainEqual(expect.objectContaining({ name: "never" }));
  });
});

describe("a practice writer", () => {
  const writer = async () => (await worker.host.host("volume.list", {})).find((v) => v.name === "written")?.writer;
  const setWriter = (on: boolean) => worker.host.host("practice.writer", { name: "written", on });
  async function writerPid(): Promise<number> {
    const found = await runProgram("pgrep", ["-f", `practice-writer ${worker.mount("written")}$`]);
    return Number(found.stdout);
  }

  test("that ended by itself is shown as off, and can be put on again", async () => {
    await worker.host.host("practice.create", { name: "written", sizeBytes: 64 * MIB, writer: true });
    expect(await writer()).toBe(true);
    process.kill(await writerPid(), "SIGKILL");
    while ((await writer()) === true) await pause(50);
    expect(await setWriter(true)).toMatchObject({ writer: true });
    const file = join(worker.mount("written"), "shop", "shop.wal");
    const before = statSync(file).mtimeMs;
    while (statSync(file).mtimeMs === before) await pause(50);
    expect(await setWriter(false)).toMatchObject({ writer: false });
    expect((await runProgram("pgrep", ["-f", `practice-writer ${worker.mount("written")}$`])).stdout).toBe("");
  });

  test("that cannot write says why, and is not shown as on", async () => {
    rmSync(join(worker.mount("written"), "shop"), { recursive: true });
    writeFileSync(join(worker.mount("written"), "shop"), "in its way");
    await expect(setWriter(true)).rejects.toThrow(/practice writer of "written" does not run: .*(EEXIST|ENOTDIR)/);
    expect(await writer()).toBe(false);
    await worker.host.host("practice.remove", { name: "written" });
  });
});

describe("exec", () => {
  test("ends with the caller's connection: processes inside are ended and everything is released", async () => {
    await worker.host.host("practice.create", { name: "lease", sizeBytes: 64 * MIB });
    writeFileSync(join(worker.mount("lease"), "file"), "before");
    const caller = await WorkerConnection.open(join(worker.run, "worker.sock"));
    const session = await caller.host("exec.begin", { volumes: ["lease"], openFile: noWait });
    writeFileSync(join(worker.mount("lease"), "file"), "after");
    const seen = await mustRun("nsenter", [`--mount=${session.namespace}`, "cat", join(worker.mount("lease"), "file")]);
    expect(seen).toBe("before");
    const { BackgroundProgram } = await import("../fixtures/background-program");
    const inside = new BackgroundProgram(cleanup, "nsenter", [`--mount=${session.namespace}`, "sleep", "600"]);
    await pause(200);
    caller.close();
    await inside.ended;
    const deadline = performance.now() + 10_000;
    while ((await worker.leftovers()).length > 0 && performance.now() < deadline) await pause(50);
    expect(await worker.leftovers()).toEqual([]);
    await worker.host.host("practice.remove", { name: "lease" });
  });
});

describe("cache locations", () => {
  test("that do not exist or lie on an attached volume are refused, and orphans are found and removed", async () => {
    await worker.host.host("practice.create", { name: "holds", sizeBytes: 64 * MIB });
    const allow = (...locations: string[]) => worker.host.host("cache.allow", { locations });
    await expect(allow("/no/such/place")).rejects.toThrow(/does not exist/);
    await expect(allow(worker.mount("holds"))).rejects.toThrow(/"holds", which an engine serves/);
    const place = worker.path("place");
    mkdirSync(join(place, "stillframe-cache"), { recursive: true });
    writeFileSync(join(place, "stillframe-cache", "left.cache"), "x".repeat(8192));
    const [location] = await allow(place);
    expect(location).toMatchObject({ path: place, orphans: [{ sizeBytes: 8192 }] });
    expect(await worker.host.host("cache.removeOrphans", {})).toMatchObject({ freedBytes: 8192 });
    await allow();
    await worker.host.host("practice.remove", { name: "holds" });
  });
});

test("the console hears each event once, in order, although it was away during the run", async () => {
  await worker.host.host("practice.create", { name: "away", sizeBytes: 64 * MIB });
  worker.console.storing = false;
  const runId = await worker.startRun({ volumes: ["away"], command: "sleep 1" });
  await pause(500);
  await worker.console.close();
  await pause(1500);
  worker.console.storing = true;
  await worker.console.listen();
  expect((await worker.console.ended(runId)).outcome, worker.console.story(runId)).toBe("succeeded");
  const numbers = worker.console.events.map((e) => e.seq);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(worker.console.eventsOf(runId)[0]).toMatchObject({ type: "started" });
  await worker.host.host("practice.remove", { name: "away" });
});

test("an engine that was restarted keeps its volume mounted and its snapshot readable", async () => {
  await worker.host.host("practice.create", { name: "engine", sizeBytes: 64 * MIB });
  writeFileSync(join(worker.mount("engine"), "file"), "before");
  const { snapshots } = await worker.host.host("snapshot.create", { volumes: ["engine"], openFile: noWait });
  const id = snapshots[0]?.id ?? "";
  const target = worker.path("still");
  await worker.host.host("snapshot.mount", { id, target });
  await worker.host.host("engine.restart", { volume: "engine" });
  writeFileSync(join(worker.mount("engine"), "file"), "after");
  expect(readFileSync(join(target, "file"), "utf8")).toBe("before");
  expect((await worker.host.host("engine.log", { volume: "engine" })).length).toBeGreaterThan(0);
  await worker.host.host("snapshot.release", { id });
  await worker.host.host("practice.remove", { name: "engine" });
});

test("the self-test passes on this host", async () => {
  const doctor = await worker.host.host("host.doctor", { selfTest: true });
  expect(doctor.checks.filter((c) => c.required && !c.ok)).toEqual([]);
});
