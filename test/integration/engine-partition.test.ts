/** A partition table on the live device: what is on a partition is on the volume, and lies where the partition is. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
import {
  AttachedVolume,
  MIB,
  makeFileSystem,
  mount,
  scratchDirectory,
  smallestBytes,
} from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { manifestOf } from "../fixtures/device-hash";
import { mustFreeze } from "../fixtures/freeze-program";
import { writeTree } from "../fixtures/tree";

const cleanup = cleanupAfterEach();
const START = 8 * MIB;

it("a file system on a partition of the live device has its files in the image, and may not hold a cache", async () => {
  const directory = await scratchDirectory(cleanup);
  const volume = await AttachedVolume.attach(cleanup, directory, "vol", START + smallestBytes.ext4);
  await mustRun("addpart", [volume.device, "1", String(START / 512), String(smallestBytes.ext4 / 512)]);
  cleanup.add("take the partition away", () => mustRun("delpart", [volume.device, "1"]));
  const partition = `${volume.device}p1`;
  await makeFileSystem(partition, "ext4");
  await mount(cleanup, partition, volume.mountPoint);
  const tree = join(volume.mountPoint, "tree");
  await writeTree(tree, 8 * MIB);
  const truth = await manifestOf(tree);

  const cacheDirectory = volume.mountPoint;
  await expect(volume.prepare("s0", { cacheDirectory })).rejects.toThrow(/volume that an engine serves/);

  await volume.prepare("s1");
  await mustFreeze([volume], "s1");
  await rm(tree, { recursive: true });
  await mustRun("fstrim", [volume.mountPoint]);
  await mustRun("dd", ["if=/dev/urandom", `of=${volume.mountPoint}/other`, "bs=1M", "count=32", "conv=fsync"]);
  const frozen = join(directory, "frozen");
  await mount(cleanup, await volume.export("s1"), frozen, `ro,noload,loop,offset=${START}`);
  expect(await manifestOf(join(frozen, "tree"))).toEqual(truth);
});
