/** The engine's control socket: what it tells, and how it refuses what makes no sense. */

import { readdirSync, readFileSync } from "node:fs";
import { chmod, chown, lchown, mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Report } from "@/server/worker/engine/protocol.gen";
import { mustRun } from "@/server/worker/programs/run-program";
import { AttachedVolume, MIB, scratchDirectory, smallestBytes } from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { mustFreeze } from "../fixtures/freeze-program";

const cleanup = cleanupAfterEach();
let directory: string;
let volume: AttachedVolume;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
  volume = await AttachedVolume.attach(cleanup, directory, "vol", smallestBytes.ext4);
});

/** Sends raw text and answers with the lines that came back until the engine closed or fell silent. */
function converse(text: string): Promise<{ lines: string[]; closed: boolean }> {
  return new Promise((done) => {
    const socket = createConnection(volume.attached.socket);
    let received = "";
    const end = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      done({ lines: received.split("\n").filter((line) => line !== ""), closed });
    };
    const timer = setTimeout(() => end(false), 700);
    socket.on("data", (bytes) => {
      received += bytes.toString();
    });
    socket.on("error", () => end(true)); // it hung up while this was writing
    socket.on("end", () => end(true));
    socket.write(text);
  });
}

/** For states that come sooner or later, however busy the machine is. */
const patience = { timeout: 60_000, interval: 20 };

function hasThread(pid: number, name: string): boolean {
  return readdirSync(`/proc/${pid}/task`).some((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8").trim() === name;
    } catch {
      return false; // it has ended meanwhile
    }
  });
}

const hello = '{"id":1,"method":"hello","params":{"protocol":1}}\n';

const write = (at: number, bytes: number) =>
  mustRun("dd", [
    ...["if=/dev/urandom", `of=${volume.device}`, "bs=4k", `count=${bytes / 4096}`, `seek=${at / 4096}`],
    ...["oflag=direct", "status=none"],
  ]);

describe("the control socket", () => {
  it("is for its owner only", async () => {
    expect((await stat(volume.runDirectory)).mode & 0o777).toBe(0o700);
  });

  it("speaks only after hello, and only its own protocol", async () => {
    const unasked = await converse('{"id":7,"method":"describe","params":{}}\n');
    expect(unasked.lines[0]).toContain('"protocol"');
    const other = await converse('{"id":1,"method":"hello","params":{"protocol":99}}\n');
    expect(other.lines[0]).toContain('"error"');
    expect(other.closed).toBe(true);
  });

  it("answers what it does not understand with an error, and goes on serving", async () => {
    const { lines } = await converse(`${hello}{"id":2,"method":"explode","params":{}}\n`);
    expect(JSON.parse(lines[1] ?? "{}")).toMatchObject({
      id: 2,
      error: { message: expect.stringContaining("explode") },
    });
    await converse("this is no JSON\n");
    await converse("x".repeat(3 * MIB));
    await converse(`${hello}{"id":3,"method":"prepare","params":{"snapshot":5}}\n`);
    expect((await volume.describe()).id).toBe("vol");
  });
});

describe("prepare refuses, and keeps nothing,", () => {
  const good = () => ({
    snapshot: "s1",
    cache: { directory: join(directory, "cache"), initialBytes: 4 * MIB, maxBytes: 64 * MIB },
    whenFull: "release" as const,
    holdMs: 0,
    skipFreeBlocks: true,
  });
  type Prepare = ReturnType<typeof good>;

  async function mustRefuse(change: (request: Prepare) => void, kind: string): Promise<void> {
    const request = good();
    change(request);
    await expect(volume.request("prepare", request)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(/\w+ \w+/),
    });
    expect((await volume.describe()).snapshots).toEqual([]);
  }

  it("names that could leave the directory or mean nothing", async () => {
    for (const name of ["", "../x", "a/b", "ä", "x".repeat(200)]) {
      await mustRefuse((request) => Object.assign(request, { snapshot: name }), "invalid");
    }
  });

  it("sizes that make no sense", async () => {
    await mustRefuse((request) => Object.assign(request.cache, { initialBytes: 128 * MIB }), "invalid");
    await mustRefuse((request) => Object.assign(request.cache, { initialBytes: 0, maxBytes: 0 }), "invalid");
  });

  it("a cache directory that is relative, missing above, or a file", async () => {
    await mustRefuse((request) => Object.assign(request.cache, { directory: "relative" }), "invalid");
    await mustRefuse(
      (request) => Object.assign(request.cache, { directory: join(directory, "no/such/place") }),
      "invalid",
    );
    const file = join(directory, "file");
    await writeFile(file, "");
    const request = good();
    request.cache.directory = file;
    await expect(volume.request("prepare", request)).rejects.toThrow(/file/);
  });

  it("a cache on the volume itself", async () => {
    const at = await volume.mountNew("ext4");
    await mustRefuse((request) => Object.assign(request.cache, { directory: join(at, "cache") }), "invalid");
  });

  it("a cache on a file system that is read-only", async () => {
    const readOnly = join(directory, "read-only");
    await mkdir(readOnly);
    await mustRun("mount", ["-t", "tmpfs", "-o", "ro", "stillframe-test", readOnly]);
    cleanup.add("unmount the read-only one", () => mustRun("umount", [readOnly]));
    const request = good();
    request.cache.directory = join(readOnly, "cache");
    await expect(volume.request("prepare", request)).rejects.toMatchObject({ errno: 30 });
  });

  it("a name that is in use", async () => {
    await volume.prepare("s1");
    await expect(volume.prepare("s1")).rejects.toMatchObject({ kind: "exists" });
    await volume.activate("s1");
    await expect(volume.activate("s1")).rejects.toMatchObject({ kind: expect.stringMatching(/exists|busy|invalid/) });
    await expect(volume.activate("never")).rejects.toMatchObject({ kind: "notFound" });
  });
});

describe("a cache file", () => {
  const prepare = (cache: string) =>
    volume.request("prepare", {
      snapshot: "s1",
      cache: { directory: cache, initialBytes: 4 * MIB, maxBytes: 64 * MIB },
      whenFull: "release",
      holdMs: 0,
      skipFreeBlocks: false,
      spill: [],
    });

  it("is readable by its owner only, in a directory of its own", async () => {
    const cache = join(directory, "made-by-the-engine");
    await prepare(cache);
    expect((await stat(cache)).mode & 0o777).toBe(0o700);
    const file = await stat(join(cache, "vol.cache"));
    expect(file.mode & 0o777).toBe(0o600);
    expect(file.blocks * 512).toBeGreaterThanOrEqual(4 * MIB);
  });

  it("is not made where others can take it away", async () => {
    const cache = join(directory, "others");
    await mkdir(cache);
    const link = join(directory, "link");
    await symlink(cache, link);
    const refused = (path: string, why: RegExp) =>
      expect(prepare(path)).rejects.toMatchObject({ kind: "invalid", message: expect.stringMatching(why) });
    await chmod(cache, 0o777);
    await refused(cache, /others .*can be written to by others/);
    await refused(link, /link .*can be written to by others/);
    await chmod(cache, 0o755);
    await chown(cache, 65534, 65534);
    await refused(cache, /belongs to another user/);
    await chown(cache, 0, 0);
    await lchown(link, 65534, 65534);
    await refused(link, /belongs to another user/);
    await prepare(cache);
  });
});

describe("the reports", () => {
  /** Reports of a subscription of its own, as they come. */
  async function subscribe(intervalMs: number, changes?: boolean): Promise<Report[]> {
    const reports: Report[] = [];
    const client = await volume.connect({ report: (report) => reports.push(report) });
    await client.request("subscribe", { intervalMs, changes });
    return reports;
  }

  it("come at the interval asked for, by the engine's clock", async () => {
    await expect(subscribe(10)).rejects.toMatchObject({ kind: "invalid" });
    const [often, seldom] = [await subscribe(100), await subscribe(1000)];
    await vi.waitUntil(() => seldom.length >= 3 && often.length >= 2 * seldom.length, patience);
    for (const [reports, intervalMs] of [[often, 100] as const, [seldom, 1000] as const]) {
      const times = reports.map(({ at }) => Date.parse(at));
      // Told in whole milliseconds.
      for (const [n, at] of times.slice(1).entries())
        expect(at - (times[n] ?? 0)).toBeGreaterThanOrEqual(intervalMs - 1);
    }
  });

  it("tell of writes, quiet and cache", async () => {
    const reports = await subscribe(100);
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");
    await vi.waitUntil(() => (reports.at(-1)?.quietMs ?? 0) >= 400, patience);
    const quiet = reports.at(-1);
    await write(0, MIB);
    const written = (quiet?.writeBytes ?? 0) + MIB;
    await vi.waitUntil(
      () => reports.at(-1)?.writeBytes === written && reports.at(-1)?.cache.usedBytes === MIB,
      patience,
    );
    const busy = reports.at(-1);
    expect(Date.parse(busy?.lastWriteAt ?? "")).toBeGreaterThan(Date.parse(quiet?.at ?? ""));
    // It began anew with the write, which came after the report before; both are told in whole milliseconds.
    expect(busy?.quietMs).toBeLessThanOrEqual(Date.parse(busy?.at ?? "") - Date.parse(quiet?.at ?? "") + 1);
    expect(busy?.snapshots[0]).toMatchObject({ id: "s1", preservedBlocks: 256, cacheUsedBytes: MIB });
  });

  it("say where it was written to only if that is asked for, each change once and after an engine's death from the start", async () => {
    const without = await subscribe(100);
    const reports = await subscribe(100, true);
    const places = () =>
      reports.flatMap(({ changes }) => (changes?.changed ?? []).map(([, at, length]) => [at, length]));
    await vi.waitUntil(() => reports.length > 0, patience);
    await write(8 * MIB, 64 * 1024);
    await mustRun("blkdiscard", ["-o", String(16 * MIB), "-l", String(MIB), volume.device]);
    await vi.waitUntil(() => places().some(([at]) => at === 16 * MIB), patience);
    // A report may come between two writes of one program.
    const written = places().filter(([at = 0]) => at < 16 * MIB);
    expect(written.reduce((sum, [, length = 0]) => sum + length, 0)).toBe(64 * 1024);
    expect(reports.map(({ changes }) => changes?.number)).toEqual(reports.map((_, n) => n));
    expect(without.every(({ changes }) => changes === null)).toBe(true);
    process.kill(await volume.enginePid(), "SIGKILL");
    const successor = await subscribe(100, true);
    await vi.waitUntil(() => successor.length > 0, patience);
    expect(successor[0]?.changes).toEqual({ number: 0, lost: 0, changed: [] });
  });

  it("count what was written to free blocks as skipped, at no cost in cache", async () => {
    const at = await volume.mountNew("ext4");
    await volume.prepare("s1");
    const { volumes } = await mustFreeze([volume], "s1");
    expect(volumes[0]?.freeBlocks).toBeGreaterThan(20_000);
    await mustRun("dd", ["if=/dev/urandom", `of=${join(at, "new")}`, "bs=1M", "count=32", "conv=fsync", "status=none"]);
    const report = await volume.snapshotReport("s1");
    expect(report?.skippedFreeBlocks).toBeGreaterThan(7500);
    expect(report?.cacheUsedBytes).toBeLessThan(3 * MIB);
  });

  it("never make the volume wait for a subscriber that reads nothing", async () => {
    const engine = await volume.enginePid();
    const deaf = createConnection(volume.attached.socket);
    cleanup.add("hang up", () => deaf.destroy());
    deaf.pause();
    deaf.write(`${hello}{"id":2,"method":"subscribe","params":{"intervalMs":100}}\n`);
    await vi.waitUntil(() => hasThread(engine, "reports"), patience);
    for (let id = 3; id < 2000; id += 1) deaf.write(`{"id":${id},"method":"describe","params":{}}\n`);
    await write(0, MIB);
    // More replies wait than are kept for anybody: it is cut off.
    await vi.waitUntil(() => !hasThread(engine, "reports"), patience);
    await write(MIB, MIB);
    expect((await volume.describe()).writeBytes).toBe(2 * MIB);
  });
});
