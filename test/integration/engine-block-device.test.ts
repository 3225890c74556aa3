/** What a block device can do its volume can do as well. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import {
  AttachedVolume,
  blockDevice,
  type FileSystem,
  MIB,
  scratchDirectoryOnDisk,
  smallestBytes,
} from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { pause } from "../fixtures/native-program";

const cleanup = cleanupAfterEach();
let directory: string;
let image: string;

beforeEach(async () => {
  directory = await scratchDirectoryOnDisk(cleanup);
  image = join(directory, "vol.img");
});

async function attach(bytes: number): Promise<AttachedVolume> {
  const device = await blockDevice(cleanup, image, bytes);
  return AttachedVolume.adopt(cleanup, directory, "vol", device, join(directory, "vol.run"));
}

const takenBytes = async () => (await stat(image)).blocks * 512;

describe("a volume on a block device", () => {
  it("passes discards on, again and again", async () => {
    const volume = await attach(16 * MIB);
    for (let round = 1; round <= 3; round += 1) {
      await mustRun("dd", [
        "if=/dev/urandom",
        `of=${volume.device}`,
        "bs=1M",
        "count=8",
        "oflag=direct",
        "status=none",
      ]);
      expect(await takenBytes()).toBeGreaterThanOrEqual(8 * MIB);
      await mustRun("blkdiscard", [volume.device]);
      expect(await takenBytes(), `round ${round}`).toBe(0);
    }
  });

  it("discards the whole units of a range that is not in whole ones, and nothing beside them", async () => {
    const device = await blockDevice(cleanup, image, 16 * MIB);
    const sectors = ["--sector-size", "512"];
    const volume = await AttachedVolume.adopt(
      cleanup,
      directory,
      "vol",
      device,
      join(directory, "vol.run"),
      ...sectors,
    );
    await mustRun("dd", ["if=/dev/urandom", `of=${volume.device}`, "bs=1M", "oflag=direct", "status=none", "count=16"]);
    const before = await readFile(image);
    await mustRun("blkdiscard", ["--offset", "512", "--length", String(MIB), volume.device]);
    const after = await readFile(image);
    expect(after.subarray(0, 512).equals(before.subarray(0, 512))).toBe(true);
    expect(after.subarray(MIB + 512).equals(before.subarray(MIB + 512))).toBe(true);
    expect(await takenBytes()).toBeLessThan(16 * MIB);
  });

  it("reads as zeroes where it was zeroed", async () => {
    const volume = await attach(16 * MIB);
    await mustRun("dd", ["if=/dev/urandom", `of=${volume.device}`, "bs=1M", "count=4", "oflag=direct", "status=none"]);
    await mustRun("blkdiscard", ["--zeroout", "--offset", "4096", "--length", String(2 * MIB), volume.device]);
    const content = await readFile(image);
    expect(content.subarray(4096, 4096 + 2 * MIB).every((byte) => byte === 0)).toBe(true);
    expect(content.subarray(0, 4096).some((byte) => byte !== 0)).toBe(true);
  });

  it("reads as zeroes where it was zeroed with leave to give the room back, in whole units or not", async () => {
    const device = await blockDevice(cleanup, image, 16 * MIB);
    const run = join(directory, "vol.run");
    const volume = await AttachedVolume.adopt(cleanup, directory, "vol", device, run, "--sector-size", "512");
    await mustRun("dd", ["if=/dev/urandom", `of=${volume.device}`, "bs=1M", "oflag=direct", "status=none", "count=4"]);
    const before = await readFile(image);
    // The kernel takes this way for any block device, and ext4 for what it zeroes in one.
    const hole = { from: 512, to: 2 * MIB + 1024 };
    await mustRun("fallocate", [
      ...["--punch-hole", "--offset", String(hole.from), "--length", String(hole.to - hole.from), volume.device],
    ]);
    const after = await readFile(image);
    expect(after.subarray(hole.from, hole.to).every((byte) => byte === 0)).toBe(true);
    expect(after.subarray(0, hole.from).equals(before.subarray(0, hole.from))).toBe(true);
    expect(after.subarray(hole.to).equals(before.subarray(hole.to))).toBe(true);
    expect(await takenBytes()).toBeLessThan(3 * MIB);
  });

  it.each<FileSystem>(["ext4", "xfs"])(
    "gives back what was deleted from %s, as often as it is trimmed",
    async (fileSystem) => {
      const volume = await attach(smallestBytes[fileSystem]);
      const at = await volume.mountNew(fileSystem);
      for (let round = 1; round <= 2; round += 1) {
        const empty = await takenBytes();
        const file = join(at, "file");
        await mustRun("dd", ["if=/dev/urandom", `of=${file}`, "bs=1M", "count=8", "conv=fsync", "status=none"]);
        expect(await takenBytes()).toBeGreaterThan(empty + 7 * MIB);
        await mustRun("rm", [file]);
        // xfs takes its time to give up what a deleted file had.
        for (let tries = 0; tries < 50 && (await takenBytes()) > empty + 4 * MIB; tries += 1) {
          await mustRun("sync", ["--file-system", at]);
          await mustRun("fstrim", [at]);
          await pause(100);
        }
        expect(await takenBytes(), `round ${round}`).toBeLessThan(empty + 4 * MIB);
      }
    },
  );
});
