/** The engine may be killed at any instant, under load, with a snapshot open: no application sees an error. */

import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  AttachedVolume,
  type FileSystem,
  frozenMountOptions,
  imageMustBeSound,
  MIB,
  mount,
  mustBeSound,
  scratchDirectory,
  smallestBytes,
  unmount,
} from "../fixtures/attached-volume";
import { BackgroundProgram } from "../fixtures/background-program";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { hashOf, manifestOf } from "../fixtures/device-hash";
import { mustFreeze } from "../fixtures/freeze-program";
import { verifiedLoad } from "../fixtures/load";
import { pause } from "../fixtures/native-program";
import { writeTree } from "../fixtures/tree";

const KILLS_EACH = 25;
const cleanup = cleanupAfterEach();
let directory: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
});

/** Kills the engine and waits until another one serves. */
async function killEngine(volume: AttachedVolume): Promise<void> {
  const pid = await volume.enginePid();
  process.kill(pid, "SIGKILL");
  for (let tries = 0; tries < 100; tries += 1) {
    const next = await volume.enginePid().catch(() => pid);
    if (next !== pid) return;
    await pause(20);
  }
  throw new Error("no other engine took over");
}

describe.each<FileSystem>(["ext4", "xfs"])(
  `${KILLS_EACH} kills of the engine under verified load on %s`,
  (fileSystem) => {
    it("cost no I/O error, leave the file system sound and the snapshot unchanged", async () => {
      const volume = await AttachedVolume.attach(cleanup, directory, "vol", smallestBytes[fileSystem]);
      const at = await volume.mountNew(fileSystem);
      await writeTree(join(at, "tree"), 16 * MIB);
      const truth = await manifestOf(join(at, "tree"));
      const load = verifiedLoad(cleanup, at);
      await pause(1500);
      await volume.prepare("s1");
      await mustFreeze([volume], "s1");
      const image = await volume.export("s1");
      const hash = await hashOf(image);

      for (let kill = 1; kill <= KILLS_EACH; kill += 1) {
        const reading = kill % 5 === 0 ? hashOf(image) : null;
        await killEngine(volume);
        if (reading !== null) expect(await reading, `hash read during kill ${kill}`).toBe(hash);
        expect(load.running, load.output).toBe(true);
        await pause(100 + Math.random() * 500);
      }

      process.kill(load.pid, "SIGINT"); // fio verifies what is left and ends
      const { output } = await load.ended;
      expect(output.match(/err= *\d+/g), output).toEqual(["err= 0", "err= 0", "err= 0", "err= 0"]);
      const report = await volume.describe();
      expect(report.startCount).toBeGreaterThan(KILLS_EACH);
      expect(report.snapshots).toMatchObject([{ id: "s1", state: "active" }]);
      await volume.unexport("s1");
      const again = await volume.export("s1");
      expect(await hashOf(again)).toBe(hash);
      const frozen = join(directory, "frozen");
      await mount(cleanup, again, frozen, frozenMountOptions[fileSystem]);
      expect(await manifestOf(join(frozen, "tree"))).toEqual(truth);
      await unmount(frozen);
      await imageMustBeSound(cleanup, again, fileSystem, directory);
      await unmount(at);
      await mustBeSound(volume.device, fileSystem);
    });
  },
);

describe("an engine that is killed while nobody writes", () => {
  it("comes back with its snapshots, its counters and its prepared ones", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 32 * MIB);
    await volume.prepare("active", { skipFreeBlocks: false });
    await volume.activate("active");
    const write = ["--name=w", `--filename=${volume.device}`, "--rw=write", "--bs=64k", "--size=4m", "--direct=1"];
    await new BackgroundProgram(cleanup, "fio", write).mustSucceed();
    await volume.prepare("prepared", { skipFreeBlocks: false });
    const before = await volume.describe();
    await killEngine(volume);
    const after = await volume.describe();
    expect(after.startCount).toBe(before.startCount + 1);
    expect(after.snapshots.find((one) => one.id === "active")).toMatchObject({
      state: "active",
      takenAt: before.snapshots.find((one) => one.id === "active")?.takenAt,
      preservedBlocks: 1024,
    });
    expect(after.writes).toBeGreaterThanOrEqual(before.writes);
    expect(after.cache.usedBytes).toBe(before.cache.usedBytes);
    if (after.snapshots.some((one) => one.id === "prepared")) await volume.activate("prepared");
  });
});
