/** What is known of changed blocks over a detach, where the volume is a block device. */
import { open, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Report } from "@/server/worker/engine/protocol.gen";
import { mustRun } from "@/server/worker/programs/run-program";
import { AttachedVolume, blockDevice, MIB, scratchDirectory } from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { mustEngineCommand } from "../fixtures/native-program";

const cleanup = cleanupAfterEach();
let directory: string;
let disk: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
  disk = await blockDevice(cleanup, join(directory, "disk.img"), 32 * MIB);
});

/** What is known when the volume is attached again after a clean detach. */
async function knownAfter(device: string, meanwhile: () => Promise<unknown>): Promise<Report["tracking"]> {
  const run = join(directory, "vol.run");
  const attach = () => AttachedVolume.adopt(cleanup, directory, "vol", device, run, "--state-dir", directory);
  const volume = await attach();
  await volume.prepare("one", { skipFreeBlocks: false });
  await volume.activate("one");
  await volume.release("one");
  expect((await volume.describe()).tracking.since).toHaveLength(1);
  await mustEngineCommand("detach", "--run-dir", run);
  await meanwhile();
  return (await (await attach()).describe()).tracking;
}

const write = (device: string, ...how: string[]) =>
  mustRun("dd", ["if=/dev/urandom", `of=${device}`, "bs=4k", "count=1", "status=none", "conv=notrunc", ...how]);

/** The first of two. */
async function partition(): Promise<string> {
  for (const [number, start] of [
    [1, 2048],
    [2, 18432],
  ]) {
    await mustRun("addpart", [disk, String(number), String(start), "16384"]);
    cleanup.add(`forget partition ${number}`, () => mustRun("delpart", [disk, String(number)]));
  }
  return `${disk}p1`;
}

const nothing = async () => {};
const KNOWN = { since: [expect.anything()], voidBecause: null };
const voidBecause = (why: RegExp) => ({ since: [], voidBecause: expect.stringMatching(why) });

describe("what changed on a block device", () => {
  it("stays known when nobody wrote to it", async () => {
    expect(await knownAfter(disk, nothing)).toMatchObject(KNOWN);
  });

  it("is void when it was written to, also where that has not reached the device yet", async () => {
    // As long as somebody has it open nothing need be written out.
    const holder = await open(disk, "r");
    cleanup.add("close the device", () => holder.close());
    expect(await knownAfter(disk, () => write(disk))).toMatchObject(voidBecause(/written to/));
  });

  it("is void where the kernel does not count what is written", async () => {
    const counts = `/sys/block/${basename(disk)}/queue/iostats`;
    cleanup.add("count again", () => writeFile(counts, "1"));
    await writeFile(counts, "0");
    expect(await knownAfter(disk, () => write(disk, "oflag=direct"))).toMatchObject(voidBecause(/does not count/));
  });
});

describe("what changed on a partition", () => {
  it("stays known when only its neighbour was written to", async () => {
    const first = await partition();
    const known = await knownAfter(first, () => write(`${disk}p2`, "oflag=direct"));
    expect(known).toMatchObject(KNOWN);
  });

  it("is void when it was written to through its disk", async () => {
    const first = await partition();
    const known = await knownAfter(first, () => write(disk, "oflag=direct", "seek=300"));
    expect(known).toMatchObject(voidBecause(/written to/));
  });
});
