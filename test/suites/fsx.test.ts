/**
 * fsx, the file system exerciser (from crates.io): random reads, writes, truncations, mappings and punched holes in one file, each compared with
 * what must be there. The same operations on the raw loop device, on an attached volume, and with snapshots open.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { mustRun, type ProgramResult, runProgram } from "@/server/worker/programs/run-program";
import {
  AttachedVolume,
  type FileSystem,
  makeFileSystem,
  makeImage,
  mount,
  mustBeSound,
  scratchDirectory,
  smallestBytes,
  unmount,
} from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";

const FSX_VERSION = "0.3.2";
/** `npm run suites` sets a larger one. */
const OPERATIONS = process.env.STILLFRAME_FSX_OPERATIONS ?? "3000";
const root = fileURLToPath(new URL("../../native/target/suites", import.meta.url));
const fsx = join(root, "bin/fsx");
const cleanup = cleanupAfterEach();

beforeAll(async () => {
  if (existsSync(fsx)) return;
  const path = [process.env.PATH, join(homedir(), ".cargo/bin")].join(delimiter);
  const args = ["install", "fsx", "--version", FSX_VERSION, "--locked", "--debug", "--root", root];
  await mustRun("cargo", args, { env: { PATH: path }, timeoutMs: 600_000 });
}, 600_000);

/** The same operations for the same seed. */
async function exercise(mountPoint: string, seed: number): Promise<ProgramResult> {
  const file = join(mountPoint, `exercised-${seed}`);
  const run = await runProgram(fsx, ["-q", "-N", OPERATIONS, "-S", String(seed), "-P", mountPoint, file], {
    timeoutMs: 600_000,
  });
  await rm(file, { force: true });
  return run;
}

const passed = { exitCode: 0, signal: null };

describe.each<FileSystem>(["ext4", "xfs"])("fsx on %s", (fileSystem) => {
  it("passes on the raw loop device, which is what the others are compared with", async () => {
    const directory = await scratchDirectory(cleanup);
    const image = await makeImage(join(directory, "raw.img"), smallestBytes[fileSystem]);
    const device = (await mustRun("losetup", ["--find", "--show", "--direct-io=on", image])).trim();
    cleanup.add(`detach ${device}`, () => mustRun("losetup", ["--detach", device]));
    await makeFileSystem(device, fileSystem);
    const at = join(directory, "mnt");
    await mount(cleanup, device, at);
    expect(await exercise(at, 1)).toMatchObject(passed);
  });

  it("passes on an attached volume", async () => {
    const directory = await scratchDirectory(cleanup);
    const volume = await AttachedVolume.attach(cleanup, directory, "fsx", smallestBytes[fileSystem]);
    const at = await volume.mountNew(fileSystem);
    expect(await exercise(at, 1)).toMatchObject(passed);
    await unmount(at);
    await mustBeSound(volume.device, fileSystem);
  });

  it("passes while snapshots are open, each replaced by the next", async () => {
    const directory = await scratchDirectory(cleanup);
    const volume = await AttachedVolume.attach(cleanup, directory, "fsx", smallestBytes[fileSystem]);
    const at = await volume.mountNew(fileSystem);
    let preserved = 0;
    for (let seed = 1; seed <= 3; seed += 1) {
      await volume.prepare(`fsx-${seed}`, { skipFreeBlocks: false });
      await volume.activate(`fsx-${seed}`);
      expect(await exercise(at, seed)).toMatchObject(passed);
      await mustRun("sync", ["--file-system", at]);
      const report = await volume.snapshotReport(`fsx-${seed}`);
      expect(report?.state).toBe("active");
      preserved += report?.preservedBlocks ?? 0;
      if (seed > 1) await volume.release(`fsx-${seed - 1}`);
    }
    expect(preserved).toBeGreaterThan(0);
    await unmount(at);
    await mustBeSound(volume.device, fileSystem);
  });
});
