/** Compares what an engine tells as changed between two snapshots with their images. */
import { type FileHandle, open } from "node:fs/promises";
import { mustRun } from "@/server/worker/programs/run-program";
import { type AttachedVolume, MIB } from "../fixtures/attached-volume";
import { changesBetween } from "./patience";
import { Difference, type Tally } from "./tally";

const BLOCK = 4096;

/** Nothing where it is no longer known what has changed. Both snapshots have every block. */
export async function compareChanges(
  volume: AttachedVolume,
  bytes: number,
  earlier: string,
  later: string,
  tally: Tally,
): Promise<void> {
  const extents = await changesBetween(volume, earlier, later);
  if (extents === null) return;
  const told = new Set<number>();
  for (const { offset, length } of extents) {
    for (let at = offset; at < offset + length; at += BLOCK) told.add(Math.floor(at / BLOCK));
  }
  const differing = await differingBlocks(await volume.export(earlier), await volume.export(later));
  const untold = differing.filter((block) => !told.has(block));
  if (untold.length > 0) {
    const which = `blocks ${untold.slice(0, 5).join(", ")}, ${untold.length} in all`;
    throw new Difference("changedBlocks", `${volume.name} from ${earlier} to ${later}: ${which}`);
  }
  tally.changes.toldBlocks += told.size;
  tally.changes.differingBlocks += differing.length;
  tally.add("changedBlocks", bytes);
}

async function differingBlocks(one: string, other: string): Promise<number[]> {
  for (const device of [one, other]) await mustRun("blockdev", ["--flushbufs", device]);
  const files = [await open(one, "r"), await open(other, "r")] as const;
  try {
    const differing: number[] = [];
    for (let offset = 0; ; offset += MIB) {
      const [a, b] = [await chunk(files[0], offset), await chunk(files[1], offset)];
      for (let at = 0; at < a.length; at += BLOCK) {
        if (!a.subarray(at, at + BLOCK).equals(b.subarray(at, at + BLOCK))) differing.push((offset + at) / BLOCK);
      }
      if (a.length === 0) return differing;
    }
  } finally {
    for (const file of files) await file.close();
  }
}

async function chunk(file: FileHandle, offset: number): Promise<Buffer> {
  const buffer = Buffer.alloc(MIB);
  const { bytesRead } = await file.read(buffer, 0, MIB, offset);
  return buffer.subarray(0, bytesRead);
}
