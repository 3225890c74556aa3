/** The live volume never suffers: a cache that runs full costs the snapshot, never a write. */
import { mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { ReleasedEvent } from "@/server/worker/engine/client";
import { mustRun } from "@/server/worker/programs/run-program";
import {
  AttachedVolume,
  type FileSystem,
  MIB,
  makeImage,
  mount,
  mustBeSound,
  scratchDirectory,
  smallestBytes,
  unmount,
} from "../fixtures/attached-volume";
import { BackgroundProgram } from "../fixtures/background-program";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { hashOf } from "../fixtures/device-hash";
import { mustFreeze } from "../fixtures/freeze-program";
import { pause } from "../fixtures/native-program";

const ENOSPC = 28;
const cleanup = cleanupAfterEach();
let directory: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
});

/** Hears of every snapshot that the engine gives up. */
async function listen(volume: AttachedVolume): Promise<ReleasedEvent[]> {
  const heard: ReleasedEvent[] = [];
  const client = await volume.connect({ released: (event) => heard.push(event) });
  await client.request("subscribe", { intervalMs: 100 });
  return heard;
}

/** Writes all of a file or device anew, directly, with a pattern that fio then verifies. */
function overwrite(path: string, bytes: number): BackgroundProgram {
  return new BackgroundProgram(cleanup, "fio", [
    ...["--name=overwrite", `--filename=${path}`, `--size=${bytes}`, "--rw=randwrite", "--bs=64k", "--direct=1"],
    ...["--ioengine=libaio", "--iodepth=8", "--verify=crc32c", "--do_verify=1", "--verify_fatal=1", "--end_fsync=1"],
    ...["--overwrite=1", "--verify_state_save=0", "--output-format=terse", "--eta=never"],
  ]);
}

async function mustFailToRead(device: string): Promise<void> {
  await expect(hashOf(device)).rejects.toThrow(/EIO/);
}

describe.each<FileSystem>(["ext4", "xfs"])(
  "a cache of 8 MiB and a writer that overwrites 200 MiB on %s",
  (fileSystem) => {
    it("fails no write, keeps the data right, and says once that the snapshot was released, and why", async () => {
      const volume = await AttachedVolume.attach(cleanup, directory, "vol", smallestBytes[fileSystem] + 192 * MIB);
      const at = await volume.mountNew(fileSystem);
      const file = join(at, "table");
      await mustRun("dd", ["if=/dev/urandom", `of=${file}`, "bs=1M", "count=200", "conv=fsync", "status=none"]);
      const heard = await listen(volume);
      await volume.prepare("s1", { initialBytes: 8 * MIB, maxBytes: 8 * MIB });
      await mustFreeze([volume], "s1");
      const image = await volume.export("s1");

      await overwrite(file, 200 * MIB).mustSucceed();
      await pause(300);
      expect(heard).toHaveLength(1);
      expect(heard[0]).toMatchObject({ snapshot: "s1", cause: "overflow", errno: null });
      const report = await volume.snapshotReport("s1");
      expect(report).toMatchObject({ state: "overflowed", cause: "overflow", firstErrno: null });
      expect(report?.cacheUsedBytes).toBeLessThanOrEqual(8 * MIB);
      await mustFailToRead(image);

      await volume.unexport("s1");
      await volume.release("s1");
      await unmount(at);
      await mustBeSound(volume.device, fileSystem);
    });
  },
);

describe("a cache on a file system that fills up", () => {
  it("costs the snapshot with the cause ENOSPC, and no write", async () => {
    const small = join(directory, "small");
    const image = await makeImage(join(directory, "small.img"), 24 * MIB);
    await mustRun("mkfs.ext4", ["-q", "-F", image]);
    await mount(cleanup, image, small, "loop");
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 96 * MIB);
    const heard = await listen(volume);
    await volume.prepare("s1", {
      cacheDirectory: join(small, "cache"),
      initialBytes: 4 * MIB,
      maxBytes: 512 * MIB,
      skipFreeBlocks: false,
    });
    await volume.activate("s1");
    await overwrite(volume.device, 96 * MIB).mustSucceed();
    await pause(300);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({ snapshot: "s1", cause: "overflow", errno: ENOSPC });
    expect(await volume.snapshotReport("s1")).toMatchObject({ state: "overflowed", firstErrno: ENOSPC });
    await volume.release("s1");
    await unmount(small);
  });

  it("refuses a first reservation that does not fit, and leaves nothing there", async () => {
    const small = join(directory, "small");
    await mkdir(small);
    await mustRun("mount", ["-t", "tmpfs", "-o", "size=8m", "stillframe-test", small]);
    cleanup.add("unmount the small one", () => unmount(small));
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    const choice = { cacheDirectory: join(small, "cache"), initialBytes: 64 * MIB, maxBytes: 64 * MIB };
    await expect(volume.prepare("s1", choice)).rejects.toMatchObject({ kind: "noSpace", errno: ENOSPC });
    expect((await volume.describe()).snapshots).toEqual([]);
    const left = await readdir(join(small, "cache")).catch(() => []);
    expect(left).toEqual([]);
  });
});

describe("the policy hold", () => {
  const HOLD_MS = 1500;

  /** A raw volume with a snapshot whose cache is full, so that the next first write waits. */
  async function fullCache(holdMs: number): Promise<AttachedVolume> {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 64 * MIB);
    await volume.prepare("s1", {
      initialBytes: 8 * MIB,
      maxBytes: 8 * MIB,
      whenFull: "hold",
      holdMs,
      skipFreeBlocks: false,
    });
    await volume.activate("s1");
    await overwrite(volume.device, 8 * MIB).mustSucceed();
    return volume;
  }

  /** Milliseconds that one first write takes. */
  async function writeTakes(volume: AttachedVolume): Promise<number> {
    const began = performance.now();
    await mustRun("dd", [
      "if=/dev/zero",
      `of=${volume.device}`,
      "bs=4k",
      "count=1",
      "seek=10000",
      "oflag=direct",
      "status=none",
    ]);
    return performance.now() - began;
  }

  it("makes a writer wait for room, then releases the snapshot all the same", async () => {
    const volume = await fullCache(HOLD_MS);
    const heard = await listen(volume);
    expect((await volume.snapshotReport("s1"))?.state).toBe("active");
    const took = await writeTakes(volume);
    expect(took).toBeGreaterThan(HOLD_MS * 0.9);
    await pause(300);
    expect(heard).toMatchObject([{ snapshot: "s1", cause: "overflow", errno: null }]);
    await writeTakes(volume);
  });

  it("saves the snapshot when the maximum is raised in time", async () => {
    const volume = await fullCache(60_000);
    const heard = await listen(volume);
    const image = await volume.export("s1");
    const truth = await hashOf(image);
    const writing = writeTakes(volume);
    await pause(400);
    await volume.request("setPolicy", { snapshot: "s1", maxBytes: 64 * MIB });
    await writing;
    await overwrite(volume.device, 32 * MIB).mustSucceed();
    expect(heard).toEqual([]);
    expect((await volume.snapshotReport("s1"))?.state).toBe("active");
    await volume.unexport("s1");
    expect(await hashOf(await volume.export("s1"))).toBe(truth);
  });
});

describe("a released snapshot", () => {
  it("gives its cache back and lets the next one be taken", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 32 * MIB);
    for (const snapshot of ["s1", "s2"]) {
      await volume.prepare(snapshot, { skipFreeBlocks: false });
      await volume.activate(snapshot);
      await overwrite(volume.device, 16 * MIB).mustSucceed();
      expect((await volume.describe()).cache.usedBytes).toBeGreaterThanOrEqual(16 * MIB);
      expect((await volume.release(snapshot)).cacheFreedBytes).toBeGreaterThan(0);
      expect((await volume.describe()).cache.usedBytes).toBe(0);
    }
    expect(await readdir(join(directory, "cache"))).toEqual([]);
  });

  it("is not found a second time", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    await volume.prepare("s1");
    await volume.release("s1");
    await expect(volume.release("s1")).rejects.toMatchObject({ kind: "notFound" });
  });
});

describe("data that was flushed", () => {
  it("is in the backing store, byte for byte, where it was written", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    const content = join(directory, "content");
    await writeFile(content, "x".repeat(100_000));
    await mustRun("dd", [
      `if=${content}`,
      `of=${volume.device}`,
      "bs=1M",
      "seek=3",
      "conv=fsync,notrunc",
      "status=none",
    ]);
    const file = await open(volume.image);
    const found = Buffer.alloc(100_000);
    await file.read(found, 0, found.length, 3 * MIB);
    await file.close();
    expect(found.equals(await readFile(content))).toBe(true);
  });
});
