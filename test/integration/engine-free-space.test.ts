/**
 * What was free at the instant takes no cache, and costs no content: under loads that allocate and free all the time,
 * every file of the frozen image is what it was, and the file system is whole. Sharing of blocks on xfs included.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
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
import { BackgroundProgram } from "../fixtures/background-program";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { manifestOf } from "../fixtures/device-hash";
import { mustFreeze } from "../fixtures/freeze-program";
import { pause } from "../fixtures/native-program";
import { writeTree } from "../fixtures/tree";

const writer = fileURLToPath(new URL("../fixtures/allocation-writer.mjs", import.meta.url));
const ROUNDS = 3;
const cleanup = cleanupAfterEach();
let directory: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
});

/** Until so many files are finished. */
async function filesIn(folder: string, count: number): Promise<void> {
  while ((await readdir(folder)).length < count) await pause(50);
}

/** Names, in order. */
async function finishedFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.startsWith(".")).sort();
}

/** Names of the finished files whose content is not what the name says, and how many there are. */
async function check(folder: string): Promise<{ wrong: string[]; files: number }> {
  const names = await finishedFiles(folder);
  const wrong: string[] = [];
  for (const name of names) {
    const content = await readFile(join(folder, name)).catch(() => Buffer.from("unreadable"));
    if (createHash("sha256").update(content).digest("hex") !== name) wrong.push(name);
  }
  return { wrong, files: names.length };
}

describe.each<FileSystem>(["ext4", "xfs"])("a volume with %s on which blocks are allocated and freed", (fileSystem) => {
  it("has images with every file as it was at the instant, and tells how many blocks were left out", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", smallestBytes[fileSystem] + 64 * MIB);
    const at = await volume.mountNew(fileSystem);
    const still = join(at, "still");
    await writeTree(still, 6 * MIB);
    const truth = await manifestOf(still);
    const busy = join(at, "busy");
    await mkdir(busy);
    const writers = [1, 2].map(
      () => new BackgroundProgram(cleanup, process.execPath, [writer, busy, String(24 * MIB)]),
    );
    await filesIn(busy, 40);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const snapshot = `s${round}`;
      await volume.prepare(snapshot);
      // Once they stand still at the instant, so that its files can be listed: none may be missing in the image.
      const standStill = round === 2;
      if (standStill) for (const { pid } of writers) process.kill(-pid, "SIGSTOP");
      const there = await finishedFiles(busy);
      await mustFreeze([volume], snapshot);
      const stoodStill = standStill && (await finishedFiles(busy)).join() === there.join();
      for (const { pid } of writers) process.kill(-pid, "SIGCONT");
      // Blocks that were free then must have been allocated, written and freed again before the image is read.
      while (((await volume.snapshotReport(snapshot))?.skippedFreeBlocks ?? 0) < 500) await pause(50);
      const image = await volume.export(snapshot);
      await imageMustBeSound(cleanup, image, fileSystem, directory);
      const frozen = join(directory, `${snapshot}.frozen`);
      await mount(cleanup, image, frozen, frozenMountOptions[fileSystem]);
      const found = await check(join(frozen, "busy"));
      expect(found.wrong).toEqual([]);
      expect(found.files).toBeGreaterThan(10);
      expect(stoodStill).toBe(standStill);
      if (stoodStill) expect(await finishedFiles(join(frozen, "busy"))).toEqual(there);
      expect(await manifestOf(join(frozen, "still"))).toEqual(truth);
      await unmount(frozen);
      const report = await volume.snapshotReport(snapshot);
      expect(report).toMatchObject({ state: "active" });
      expect(report?.cacheUsedBytes).toBe((report?.preservedBlocks ?? 0) * 4096);
      // The image of the round before stays open beside it: both have lists of free blocks of their own.
      if (round > 1) {
        await volume.unexport(`s${round - 1}`);
        await volume.release(`s${round - 1}`);
      }
    }
    const shared = writers.some(({ output }) => output.includes("shared blocks"));
    expect(shared, "blocks are shared on xfs alone").toBe(fileSystem === "xfs");
  });

  it("has images with what lay in free blocks, where those are not left out", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", smallestBytes[fileSystem]);
    const at = await volume.mountNew(fileSystem);
    await volume.prepare("s1", { skipFreeBlocks: false });
    await mustFreeze([volume], "s1");
    await writeFile(join(at, "new"), Buffer.alloc(4 * MIB, 7), { flush: true });
    const report = await volume.snapshotReport("s1");
    expect(report?.skippedFreeBlocks).toBe(0);
    expect(report?.cacheUsedBytes).toBeGreaterThanOrEqual(4 * MIB);
  });
});
