/**
 * Cuts the power at every boundary of a recorded log: replays the log up to there and asks whether what is left mounts, is sound
 * and holds everything that the writer had been told is durable.
 *
 * A boundary's state must fulfil all claims made before the next boundary: nothing becomes durable in between. The states
 * with any part of the next boundary's writes are possible too, because a disk may write back early and in any order; such
 * a torn one is tried beside each.
 */
import { type FileHandle, mkdir, open, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { Claims } from "./claims";
import type { Recorded, Scenario } from "./scenario";
import { apply, type LogEntry, readLog } from "./write-log";

export interface Verdict {
  /** After the file system was there. */
  boundaries: number;
  /** States that were looked at. */
  checked: number;
  claims: number;
  /** What was wrong, each with its boundary. */
  violations: string[];
}

export interface Effort {
  /** States of a log that are looked at, spread evenly. */
  mostStates: number;
  /** Chooses what a torn state holds. */
  seed: number;
  /** Stops at so many violations. */
  mostViolations: number;
  /** No further state is looked at; it throws. */
  interrupted?: AbortSignal;
}

export async function replay(
  scenario: Scenario,
  recorded: Recorded,
  directory: string,
  effort: Effort,
): Promise<Verdict> {
  const image = join(directory, "image");
  await writeFile(image, "");
  await truncate(image, recorded.deviceBytes);
  const log = await open(recorded.log, "r");
  const disk = await open(image, "r+");
  try {
    const boundaries = await countBoundaries(log);
    const stride = Math.max(1, boundaries / Math.ceil(effort.mostStates / 2));
    const chance = random(effort.seed);
    const claims = new Claims();
    const verdict: Verdict = { boundaries, checked: 0, claims: 0, violations: [] };
    const look = async (what: string) => {
      effort.interrupted?.throwIfAborted();
      verdict.checked += 1;
      const found = await problems(scenario, image, claims, directory);
      verdict.violations.push(...found.map((text) => `${what}: ${text}`));
    };
    let number = 0;
    let next = 0;
    let pending: LogEntry[] = [];
    for await (const entry of readLog(log)) {
      if (entry.mark !== null) claims.add(entry.mark);
      else if (!entry.boundary) pending.push(entry);
      else {
        if (claims.ready) {
          number += 1;
          if (number > next) {
            next += stride;
            await look(`boundary ${number} of ${boundaries}`);
            // In place: all of them are applied below, in order, so that nothing of this state stays.
            for (const write of pending) if (chance() < 0.5) await apply(write, log, disk);
            await look(`boundary ${number} of ${boundaries} and part of the next`);
          }
        }
        for (const write of [...pending, entry]) await apply(write, log, disk);
        pending = [];
        if (verdict.violations.length >= effort.mostViolations) break;
      }
    }
    if (verdict.violations.length < effort.mostViolations) await look("the last boundary");
    verdict.claims = claims.made;
    return verdict;
  } finally {
    await log.close();
    await disk.close();
  }
}

async function countBoundaries(log: FileHandle): Promise<number> {
  let count = 0;
  let ready = false;
  for await (const entry of readLog(log)) {
    if (entry.mark?.startsWith("ready")) ready = true;
    if (ready && entry.boundary) count += 1;
  }
  return count;
}

/** What is wrong with a state; it is not changed. */
async function problems(scenario: Scenario, state: string, claims: Claims, directory: string): Promise<string[]> {
  if (scenario.fileSystem === "none" && scenario.backing === "device") {
    const device = await open(state, "r");
    try {
      return await claims.missingOnDevice(device);
    } finally {
      await device.close();
    }
  }
  const disk = join(directory, "after-cut");
  await copy(state, disk);
  const looking = async (volume: string) =>
    scenario.fileSystem === "none"
      ? problems({ ...scenario, backing: "device" }, volume, claims, directory)
      : mounted(volume, scenario.fileSystem, join(directory, "volume"), (at) => claims.missingInDirectory(at));
  if (scenario.backing === "device") return looking(disk);
  return mounted(disk, "ext4", join(directory, "outer"), (at) => looking(join(at, "volume.img")));
}

/** Mounts, which replays the journal, looks, unmounts and checks. */
async function mounted(
  disk: string,
  fileSystem: "ext4" | "xfs",
  at: string,
  look: (at: string) => Promise<string[]>,
): Promise<string[]> {
  await mkdir(at, { recursive: true });
  const found: string[] = [];
  try {
    await mustRun("mount", ["-o", fileSystem === "xfs" ? "loop,nouuid" : "loop", "-t", fileSystem, disk, at]);
  } catch (error) {
    return [`${fileSystem} does not mount: ${String(error)}`];
  }
  try {
    found.push(...(await look(at)));
  } finally {
    await mustRun("umount", [at]);
    await rm(at, { recursive: true });
  }
  const check = fileSystem === "ext4" ? ["e2fsck", "-fn"] : ["xfs_repair", "-n"];
  const [program = "", ...options] = check;
  try {
    await mustRun(program, [...options, disk]);
  } catch (error) {
    found.push(`${fileSystem} is not sound: ${String(error)}`);
  }
  return found;
}

async function copy(from: string, to: string): Promise<void> {
  await mustRun("cp", ["--sparse=always", from, to]);
}

/** Numbers from 0 up to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
