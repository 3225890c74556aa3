/** The engine may be killed at any instant, under load, with a snapshot open: no application sees an error. */

import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { mustRun } from "@/server/worker/programs/run-program";
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
import { freezeGroup, freezeRequest, mustFreeze } from "../fixtures/freeze-program";
import { deviceLoad, discardLoad, endVerifying, fileLoad, verifiedLoad } from "../fixtures/load";
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

      const { output } = await endVerifying(load);
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

describe("kills under unaligned writes, discards and zeroing, with two snapshots open", () => {
  it("leave both images what they were at their instants", async () => {
    const bytes = 64 * MIB;
    const volume = await AttachedVolume.attach(cleanup, directory, "raw", bytes);
    /** Stops all writers, so that the backing store tells the truth, and takes a snapshot of it. */
    const takeQuiet = async (snapshot: string, loads: BackgroundProgram[]): Promise<string> => {
      for (const load of loads) await load.stop();
      await mustRun("blockdev", ["--flushbufs", volume.device]);
      await volume.prepare(snapshot, { skipFreeBlocks: false });
      await volume.activate(snapshot);
      return hashOf(volume.image);
    };
    const startLoads = () => [deviceLoad(cleanup, volume.device), discardLoad(cleanup, volume.device, bytes)];
    const killSome = async (times: number) => {
      for (let kill = 1; kill <= times; kill += 1) {
        await pause(50 + Math.random() * 300);
        await killEngine(volume);
      }
    };

    let loads = startLoads();
    await pause(700);
    const first = await takeQuiet("s1", loads);
    loads = startLoads();
    await killSome(8);
    const second = await takeQuiet("s2", loads);
    loads = startLoads();
    await killSome(8);
    expect(await hashOf(await volume.export("s1"))).toBe(first);
    expect(await hashOf(await volume.export("s2"))).toBe(second);
    expect(loads.map((load) => load.running)).toEqual([true, true]);
    expect(loads.map((load) => load.output).join("")).not.toMatch(/error/i);
  });
});

describe("kills while groups are frozen and snapshots taken", () => {
  it("end in a snapshot that is right or in none, and never in a volume that stays frozen", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", smallestBytes.ext4);
    const at = await volume.mountNew("ext4");
    await writeTree(join(at, "tree"), 8 * MIB);
    const truth = await manifestOf(join(at, "tree"));
    fileLoad(cleanup, at);
    const kinds: string[] = [];
    for (let round = 1; round <= 12; round += 1) {
      const snapshot = `s${round}`;
      await volume.prepare(snapshot);
      const freezing = freezeGroup(freezeRequest([volume], snapshot, 5000));
      await pause(Math.random() * 120);
      await killEngine(volume);
      const { report, stdout } = await freezing;
      expect(report, stdout).not.toBeNull();
      kinds.push(report?.ok === true ? "taken" : (report?.kind ?? "silent"));
      await mustRun("dd", ["if=/dev/zero", `of=${join(at, "after")}`, "bs=4k", "count=1", "conv=fsync", "status=none"]);
      if (report?.ok !== true) continue;
      const frozen = join(directory, "frozen");
      await mount(cleanup, await volume.export(snapshot), frozen, frozenMountOptions.ext4);
      expect(await manifestOf(join(frozen, "tree"))).toEqual(truth);
      await unmount(frozen);
      await volume.unexport(snapshot);
      await volume.release(snapshot);
    }
    expect(kinds.filter((kind) => !["taken", "activate"].includes(kind))).toEqual([]);
    const open = (await volume.describe()).snapshots.filter((one) => one.state === "active");
    expect(open).toEqual([]);
  });
});

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
