/** Whichever of a volume's processes are killed, together or one after the other: no application sees an error. */

import { beforeEach, describe, expect, it } from "vitest";
import { type AttachedVolume, scratchDirectory } from "../fixtures/attached-volume";
import { cleanupAfterEach } from "../fixtures/cleanup";
import {
  childrenOf,
  engineAfter,
  keeperAfter,
  keeperOf,
  killIfThere,
  servingEngine,
  standbyOf,
} from "../fixtures/engine-process";
import { LoadedVolume } from "../fixtures/loaded-volume";
import { pause } from "../fixtures/native-program";

const ROUNDS = 12;
const cleanup = cleanupAfterEach();
let directory: string;

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
});

/** Ends load and snapshot, and looks for damage. */
async function mustBeWhole(loaded: LoadedVolume): Promise<void> {
  await loaded.endLoad();
  await loaded.imageMustBeTheSame();
  await loaded.volume.unexport("s1");
  await loaded.filesMustBeWhole();
}

const killings: [string, (volume: AttachedVolume) => Promise<void>][] = [
  [
    "the engine that stands by",
    async (volume) => {
      const serving = await servingEngine(volume.runDirectory);
      const standby = await standbyOf(volume.runDirectory, serving);
      killIfThere(standby);
      await standbyOf(volume.runDirectory, serving, standby);
      expect(await servingEngine(volume.runDirectory)).toBe(serving);
    },
  ],
  [
    "both engines at once",
    async (volume) => {
      const serving = await servingEngine(volume.runDirectory);
      const standby = await standbyOf(volume.runDirectory, serving);
      for (const pid of Math.random() < 0.5 ? [serving, standby] : [standby, serving]) killIfThere(pid);
      await engineAfter(volume.runDirectory, serving, standby);
    },
  ],
  [
    "each engine as soon as it is there",
    async (volume) => {
      const killed: number[] = [];
      for (let kill = 0; kill < 8; kill += 1) {
        for (const pid of childrenOf(keeperOf(volume.runDirectory))) {
          if (killIfThere(pid)) killed.push(pid);
        }
        await pause(Math.random() * 15);
      }
      await engineAfter(volume.runDirectory, ...killed);
    },
  ],
  [
    "the keeper",
    async (volume) => {
      const [keeper, serving] = [keeperOf(volume.runDirectory), await servingEngine(volume.runDirectory)];
      const next = await standbyOf(volume.runDirectory, serving);
      killIfThere(keeper);
      expect(await keeperAfter(volume.runDirectory, keeper)).toBe(next);
      expect(await servingEngine(volume.runDirectory)).toBe(serving);
      killIfThere(serving);
      await engineAfter(volume.runDirectory, serving);
    },
  ],
  [
    "the keeper while no engine stands by",
    async (volume) => {
      const [keeper, serving] = [keeperOf(volume.runDirectory), await servingEngine(volume.runDirectory)];
      await standbyOf(volume.runDirectory, serving);
      process.kill(keeper, "SIGSTOP"); // so that it starts no other one
      for (const pid of childrenOf(keeper)) if (pid !== serving) killIfThere(pid);
      killIfThere(keeper);
      await keeperAfter(volume.runDirectory, keeper);
      await standbyOf(volume.runDirectory, serving);
      expect(await servingEngine(volume.runDirectory)).toBe(serving);
      killIfThere(serving);
      await engineAfter(volume.runDirectory, serving);
    },
  ],
  [
    "the keeper and its engine at once",
    async (volume) => {
      const [keeper, serving] = [keeperOf(volume.runDirectory), await servingEngine(volume.runDirectory)];
      await standbyOf(volume.runDirectory, serving);
      for (const pid of Math.random() < 0.5 ? [keeper, serving] : [serving, keeper]) killIfThere(pid);
      await engineAfter(volume.runDirectory, serving);
    },
  ],
];

describe(`${ROUNDS} times under verified load, kill -9 of`, () => {
  it.each(killings)("%s costs no I/O error and changes no image", async (_whom, kill) => {
    const loaded = await LoadedVolume.make(cleanup, directory);
    const { volume } = loaded;
    for (let round = 1; round <= ROUNDS; round += 1) {
      await kill(volume);
      await pause(Math.random() * 300);
    }
    await mustBeWhole(loaded);
  });
});
