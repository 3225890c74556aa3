/**
 * Frozen means frozen: whatever is written, trimmed or deleted after the instant, the image stays what it was.
 *
 * The truth is a copy of the backing store (or its hash) taken while nothing could be written: the file system frozen by
 * `fsfreeze`, or the load of a raw device stopped. Where free blocks are skipped they read as zeroes from the image, so
 * there the truth is a tree of files that was written before and that the load then destroys, and the checker's word.
 */
import { cp, mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import {
  AttachedVolume,
  type FileSystem,
  frozenMountOptions,
  imageMustBeSound,
  MIB,
  mount,
  scratchDirectory,
  smallestBytes,
  unmount,
} from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { hashOf, manifestOf } from "../fixtures/device-hash";
import { mustFreeze } from "../fixtures/freeze-program";
import { changeLoad, deviceLoad, discardLoad, fileLoad } from "../fixtures/load";
import { pause } from "../fixtures/native-program";
import { writeTree } from "../fixtures/tree";

const cleanup = cleanupAfterEach();
let directory: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
});

/** Reads the image again through a device of its own, as slowly as a backup. */
async function hashAgain(volume: AttachedVolume, snapshot: string): Promise<string> {
  await volume.unexport(snapshot);
  return hashOf(await volume.export(snapshot), { pauseMs: 15 });
}

describe.each(["512", "4096"])("a raw device with sectors of %s bytes under random unaligned writes", (sectorSize) => {
  it("shows the bytes of the instant, while they are overwritten, discarded and zeroed", async () => {
    const bytes = 96 * MIB;
    const volume = await AttachedVolume.attach(cleanup, directory, "raw", bytes, "--sector-size", sectorSize);
    const firstLoad = deviceLoad(cleanup, volume.device, Number(sectorSize));
    await pause(1000);
    await firstLoad.stop();
    await mustRun("blockdev", ["--flushbufs", volume.device]);
    const truth = await hashOf(volume.image);
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");

    const load = deviceLoad(cleanup, volume.device, Number(sectorSize));
    const discards = discardLoad(cleanup, volume.device, bytes);
    const device = await volume.export("s1");
    expect(await hashOf(device)).toBe(truth);
    expect(await hashAgain(volume, "s1")).toBe(truth);
    expect(load.running && discards.running, load.output + discards.output).toBe(true);
    await load.stop();
    await discards.stop();
    expect(await hashAgain(volume, "s1")).toBe(truth);

    const report = await volume.snapshotReport("s1");
    expect(report?.state).toBe("active");
    expect(report?.preservedBlocks).toBeGreaterThan(1000);
    expect(await hashOf(volume.image)).not.toBe(truth);
  });
});

describe("a device whose load never pauses", () => {
  it("gives the same bytes to each reader of one image, from the first moment on", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "busy", 64 * MIB);
    const load = deviceLoad(cleanup, volume.device);
    await pause(500);
    await volume.prepare("s1", { skipFreeBlocks: false });
    await volume.activate("s1");
    const first = await hashOf(await volume.export("s1"));
    await pause(1000);
    expect(await hashAgain(volume, "s1")).toBe(first);
    expect(load.running, load.output).toBe(true);
  });
});

describe.each<FileSystem>(["ext4", "xfs"])("a mounted %s under load", (fileSystem) => {
  it("has an image equal to the backing store at the instant, block for block", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", smallestBytes[fileSystem]);
    const at = await volume.mountNew(fileSystem);
    fileLoad(cleanup, at);
    await pause(1500);
    await volume.prepare("s1", { skipFreeBlocks: false });
    await mustRun("fsfreeze", ["--freeze", at]);
    const copy = join(directory, "truth.img");
    try {
      await volume.activate("s1");
      await mustRun("cp", ["--sparse=always", volume.image, copy]);
    } finally {
      await mustRun("fsfreeze", ["--unfreeze", at]);
    }
    const truth = await hashOf(copy);
    expect(await hashOf(await volume.export("s1"))).toBe(truth);
    await pause(1000);
    expect(await hashAgain(volume, "s1")).toBe(truth);
    await imageMustBeSound(cleanup, await volume.export("s1"), fileSystem, directory);
  });

  it("has images of two instants at once, each with the files of its own, free blocks skipped", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", smallestBytes[fileSystem]);
    const at = await volume.mountNew(fileSystem);
    const kept = join(at, "kept");
    const fresh = join(at, "fresh");
    await writeTree(kept, 24 * MIB);
    await cp(kept, join(directory, "kept"), { recursive: true });
    await mkdir(join(at, "work"));
    const work = join(at, "work");
    fileLoad(cleanup, work);
    await pause(800);

    await volume.prepare("s1");
    await mustFreeze([volume], "s1");
    changeLoad(cleanup, work, kept);
    const first = { truth: await manifestOf(join(directory, "kept")), hash: await hashOf(await volume.export("s1")) };
    await pause(500);
    // Blocks that were free at the first instant and are in use at the second.
    await writeTree(fresh, 8 * MIB);
    await cp(fresh, join(directory, "fresh"), { recursive: true });
    await volume.prepare("s2");
    await mustFreeze([volume], "s2");
    changeLoad(cleanup, work, fresh);
    const second = { truth: await manifestOf(join(directory, "fresh")), hash: await hashOf(await volume.export("s2")) };
    await pause(2000);

    expect(await hashAgain(volume, "s1")).toBe(first.hash);
    expect(await hashAgain(volume, "s2")).toBe(second.hash);
    await mustHold(volume, fileSystem, "s1", "kept", first.truth);
    await mustHold(volume, fileSystem, "s2", "fresh", second.truth);
    const report = await volume.describe();
    expect(report.snapshots.map(({ id, state }) => [id, state])).toEqual([
      ["s1", "active"],
      ["s2", "active"],
    ]);
    expect(report.snapshots.every((one) => one.skippedFreeBlocks > 0)).toBe(true);

    // The older image does not need the newer one.
    await volume.unexport("s2");
    await volume.release("s2");
    await pause(500);
    expect(await hashAgain(volume, "s1")).toBe(first.hash);
  });
});

/** The image is sound and holds exactly these files in `folder`. */
async function mustHold(
  volume: AttachedVolume,
  fileSystem: FileSystem,
  snapshot: string,
  folder: string,
  truth: Record<string, string>,
): Promise<void> {
  const device = await volume.export(snapshot);
  await imageMustBeSound(cleanup, device, fileSystem, directory);
  const at = join(directory, `${snapshot}.frozen`);
  await mount(cleanup, device, at, frozenMountOptions[fileSystem]);
  expect(await manifestOf(join(at, folder))).toEqual(truth);
  await unmount(at);
}

it("reads far ahead for a backup, but not for what its loop device is used for next", async () => {
  const volume = await AttachedVolume.attach(cleanup, directory, "ahead", 16 * MIB);
  await volume.prepare("s1", { skipFreeBlocks: false });
  await volume.activate("s1");
  const device = await volume.export("s1");
  const setting = async (name: string) =>
    Number(await readFile(`/sys/block/${basename(device)}/queue/${name}`, "utf8"));
  expect([await setting("read_ahead_kb"), await setting("max_sectors_kb")]).toEqual([1024, 256]);
  await volume.unexport("s1");
  expect(await setting("read_ahead_kb")).toBe(128);
  expect(await setting("max_sectors_kb")).toBeGreaterThan(256);
});
