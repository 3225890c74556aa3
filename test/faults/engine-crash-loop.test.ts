/**
 * An engine that crashes over and over: the volume stays served without its snapshots, or errors say that it is not. One
 * that cannot be started for a while costs neither.
 */

import { truncateSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { mustRun, runProgram } from "@/server/worker/programs/run-program";
import { AttachedVolume, MIB, scratchDirectory } from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { childrenOf, keeperOf, killIfThere } from "../fixtures/engine-process";
import { LoadedVolume } from "../fixtures/loaded-volume";
import { engineCommand, pause } from "../fixtures/native-program";

const cleanup = cleanupAfterEach();
let directory: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
});

/** The file in memory that engines take over from each other; what is cut off kills them when they look at it. */
const stateOf = (volume: AttachedVolume): string => `/proc/${keeperOf(volume.runDirectory)}/fd/101`;
/** Header, counters, cells: all but what belongs to snapshots. */
const WITHOUT_SNAPSHOTS = MIB;
const HEADER_ALONE = 4096;

describe("an engine that crashes whenever it looks at a snapshot's records", () => {
  it("is replaced by one that serves without snapshots, and no application sees an error", async () => {
    const loaded = await LoadedVolume.make(cleanup, directory);
    const { volume, image } = loaded;
    truncateSync(stateOf(volume), WITHOUT_SNAPSHOTS);
    await expect.poll(async () => (await volume.describe()).passThrough, { timeout: 30_000 }).toBe(true);

    expect(await volume.snapshotReport("s1")).toMatchObject({
      state: "damaged",
      detail: "the engine crashed over and over with this snapshot open",
    });
    const read = await runProgram("dd", [`if=${image}`, "of=/dev/null", "bs=4k", "count=1", "iflag=direct"]);
    expect(read.stderr).toMatch(/Input\/output error/);
    await expect(volume.prepare("s2")).rejects.toMatchObject({ kind: "unsupported" });
    const { writes } = await volume.describe();
    await expect.poll(async () => (await volume.describe()).writes, { timeout: 30_000 }).toBeGreaterThan(writes + 100);
    await loaded.endLoad();
    await volume.unexport("s1");
    await volume.release("s1");
    await loaded.filesMustBeWhole();
  });
});

describe("an engine that crashes whatever it does", () => {
  it("is given up: requests fail instead of waiting, the log says why, and detach leaves nothing", async () => {
    const volume = await AttachedVolume.attach(cleanup, directory, "vol", 16 * MIB);
    truncateSync(stateOf(volume), HEADER_ALONE);
    process.kill(await volume.enginePid(), "SIGKILL");
    const write = ["if=/dev/zero", `of=${volume.device}`, "bs=4k", "count=1", "oflag=direct", "conv=notrunc"];
    expect((await runProgram("dd", write, { timeoutMs: 60_000 })).stderr).toMatch(/Input\/output error/);
    const log = await readFile(join(volume.runDirectory, "engine.log"), "utf8");
    expect(log).toMatch(/serves without snapshots.*giving up/s);
    const detached = await engineCommand("detach", "--run-dir", volume.runDirectory);
    expect(detached.exitCode, detached.stderr).toBe(0);
  });
});

describe("a keeper that can start no engine for a while", () => {
  it("goes on trying: requests wait, and neither an application nor the snapshot notices", async () => {
    const loaded = await LoadedVolume.make(cleanup, directory);
    const keeper = keeperOf(loaded.volume.runDirectory);
    const limitDescriptors = (limit: string) => mustRun("prlimit", ["--pid", String(keeper), `--nofile=${limit}:`]);
    const before = (
      await mustRun("prlimit", ["--pid", String(keeper), "--nofile", "--noheadings", "--output=SOFT"])
    ).trim();
    await limitDescriptors("4"); // none is left for a pipe to an engine
    for (const pid of childrenOf(keeper)) killIfThere(pid);
    await pause(3000);
    expect(childrenOf(keeper)).toEqual([]);
    await limitDescriptors(before);
    await expect.poll(async () => (await loaded.volume.describe()).passThrough, { timeout: 30_000 }).toBe(false);
    await loaded.endLoad();
    await loaded.imageMustBeTheSame();
    await loaded.volume.unexport("s1");
    await loaded.filesMustBeWhole();
  });
});
