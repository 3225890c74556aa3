/** A group of snapshots shows one instant of all its volumes; snapshots one after another need not. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import {
  AttachedVolume,
  type FileSystem,
  frozenMountOptions,
  mount,
  scratchDirectory,
  smallestBytes,
  unmount,
} from "../fixtures/attached-volume";
import { BackgroundProgram } from "../fixtures/background-program";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { mustFreeze } from "../fixtures/freeze-program";
import { pause } from "../fixtures/native-program";

const GROUPS = 50;
const cleanup = cleanupAfterEach();
const fileSystems = ["ext4", "xfs"] as const;
let directory: string;
let volumes: AttachedVolume[];

beforeEach(async () => {
  directory = await scratchDirectory(cleanup);
  volumes = [];
  for (const fileSystem of fileSystems) {
    const volume = await AttachedVolume.attach(cleanup, directory, fileSystem, smallestBytes[fileSystem]);
    await volume.mountNew(fileSystem);
    volumes.push(volume);
  }
  const script = fileURLToPath(new URL("../fixtures/pair-writer.mjs", import.meta.url));
  const files = volumes.map((volume) => join(volume.mountPoint, "counter"));
  new BackgroundProgram(cleanup, process.execPath, [script, ...files]);
  for (const file of files) while ((await readFile(file, "utf8").catch(() => "")) === "") await pause(20);
});

/** The number in a volume's frozen image; the snapshot is released. */
async function frozenNumber(volume: AttachedVolume, snapshot: string): Promise<number> {
  const at = join(directory, `${volume.name}.frozen`);
  const device = await volume.export(snapshot);
  await mount(cleanup, device, at, frozenMountOptions[volume.name as FileSystem]);
  const text = await readFile(join(at, "counter"), "utf8");
  await unmount(at);
  await volume.unexport(snapshot);
  await volume.release(snapshot);
  return Number(text);
}

describe("a writer that makes n durable on A, then n on B, then n + 1", () => {
  it(`is seen at A = B or A = B + 1 in each of ${GROUPS} snapshots of both at once`, async () => {
    let last = 0;
    for (let group = 1; group <= GROUPS; group += 1) {
      const snapshot = `group-${group}`;
      for (const volume of volumes) await volume.prepare(snapshot);
      await mustFreeze(volumes, snapshot);
      const [a = -1, b = -1] = [
        await frozenNumber(volumes[0] as AttachedVolume, snapshot),
        await frozenNumber(volumes[1] as AttachedVolume, snapshot),
      ];
      expect([b, b + 1], `group ${group}: A = ${a}, B = ${b}`).toContain(a);
      expect(a).toBeGreaterThan(last);
      last = a;
    }
  });

  it("can be seen further apart when the volumes are taken one at a time", async () => {
    const numbers: number[] = [];
    for (const volume of volumes) {
      await volume.prepare("alone");
      await mustFreeze([volume], "alone");
      numbers.push(await frozenNumber(volume, "alone"));
      await pause(300);
    }
    const [a = 0, b = 0] = numbers;
    expect(b).toBeGreaterThan(a + 1);
  });
});
