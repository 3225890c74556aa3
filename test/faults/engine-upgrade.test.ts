/** The engine's program is replaced while the volume is in use: applications see nothing of it, snapshots stay. */

import { chmodSync, copyFileSync, readlinkSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { UpgradeResult } from "@/server/worker/engine/protocol.gen";
import { AttachedVolume, MIB, scratchDirectory } from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { keeperOf, killIfThere, servingEngine, standbyOf } from "../fixtures/engine-process";
import { LoadedVolume } from "../fixtures/loaded-volume";
import { engineCommand, mustEngineCommand, nativeProgram, pause } from "../fixtures/native-program";

const UPGRADES = 6;
const cleanup = cleanupAfterEach();
let directory: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
});

const programOf = (pid: number): string => readlinkSync(`/proc/${pid}/exe`);

function upgrade(volume: AttachedVolume, program: string): Promise<UpgradeResult> {
  return mustEngineCommand<UpgradeResult>("upgrade", "--run-dir", volume.runDirectory, "--program", program);
}

describe(`${UPGRADES} upgrades under verified load, with a snapshot open`, () => {
  it("cost no I/O error and change no image, and the keeper follows", async () => {
    const loaded = await LoadedVolume.make(cleanup, directory);
    const { volume } = loaded;
    const keeper = keeperOf(volume.runDirectory);
    let program = "";
    for (let number = 1; number <= UPGRADES; number += 1) {
      program = join(directory, `engine-${number}`);
      copyFileSync(nativeProgram("stillframe-engine"), program);
      const { pid } = await upgrade(volume, program);
      expect(programOf(pid)).toBe(program);
      // A new program is as good as the one before when it is killed at once.
      if (number % 2 === 0) killIfThere(pid);
      await pause(Math.random() * 300);
    }
    await loaded.imageMustBeTheSame();
    await expect.poll(() => programOf(keeper), { timeout: 20_000 }).toBe(program);
    expect(keeperOf(volume.runDirectory)).toBe(keeper);
    const serving = await servingEngine(volume.runDirectory);
    expect(programOf(await standbyOf(volume.runDirectory, serving))).toBe(program);
    killIfThere(serving);
    expect(programOf(await volume.enginePid())).toBe(program);

    await loaded.endLoad();
    await loaded.imageMustBeTheSame();
    await loaded.filesMustBeWhole();
  });
});

describe("an upgrade to a program that cannot take over", () => {
  it.each([
    ["that is not there", undefined, /cannot be started/],
    ["that is none", "not a program", /cannot be started/],
    ["that ends by itself", "#!/bin/sh\nexit 7\n", /exit status: 7/],
    ["that says why", `#!/bin/sh\necho '{"error":{"message":"another state"}}'\nexit 1\n`, /another state/],
    ["that is killed", "#!/bin/sh\nkill -9 $$\n", /signal: 9/],
    ["that never is ready", "#!/bin/sh\nexec sleep 600\n", /not ready in time/],
  ])("%s is refused, and the old engine serves on", async (_what, content, reason) => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    const program = join(directory, "candidate");
    if (content !== undefined) {
      writeFileSync(program, content);
      chmodSync(program, 0o755);
    }
    const before = await volume.enginePid();
    const refused = await engineCommand("upgrade", "--run-dir", volume.runDirectory, "--program", program);
    expect(refused.exitCode).toBe(1);
    expect(refused.document.error).toMatchObject({ kind: "unsupported", message: expect.stringMatching(reason) });
    expect(await volume.enginePid()).toBe(before);
    killIfThere(before);
    expect(await volume.enginePid()).not.toBe(before);
  });
});

describe("a program file that was replaced", () => {
  it("goes on serving as the old one until the upgrade", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    const [installed, next] = [join(directory, "installed"), join(directory, "next")];
    copyFileSync(nativeProgram("stillframe-engine"), installed);
    await upgrade(volume, installed);
    copyFileSync(nativeProgram("stillframe-engine"), next);
    renameSync(next, installed);
    expect(programOf(await volume.enginePid())).toBe(`${installed} (deleted)`);
    const { pid } = await upgrade(volume, installed);
    expect(programOf(pid)).toBe(installed);
  });
});
