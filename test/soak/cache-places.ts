/** Where a snapshot's cache may lie: with room for everything, with a small maximum, where the disk runs full, or both. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { MIB, type SnapshotChoice, unmount } from "../fixtures/attached-volume";
import type { Cleanup } from "../fixtures/cleanup";
import type { Random } from "./random";

/** `spill`: first where the disk runs full, then where there is room, so that nothing may be lost. */
export type Room = "roomy" | "small" | "fullDisk" | "spill";

export const mayRunFull = (room: Room): boolean => room === "small" || room === "fullDisk";

/** Whether there may not even be room for the first reservation. */
export const onFullDisk = (room: Room): boolean => room === "fullDisk" || room === "spill";

const FULL_DISK_MIB = 12;

export class CachePlaces {
  private constructor(private readonly directory: string) {}

  static async make(cleanup: Cleanup, directory: string): Promise<CachePlaces> {
    const places = new CachePlaces(directory);
    const disk = join(directory, "full-disk");
    await mkdir(disk, { recursive: true });
    await mustRun("mount", ["-t", "tmpfs", "-o", `size=${FULL_DISK_MIB}m`, "stillframe-soak", disk]);
    cleanup.add("unmount the small cache disk", () => unmount(disk));
    return places;
  }

  /** Each a private directory: what lies there belongs to the caches. */
  get directories(): string[] {
    const names = ["roomy", "small", join("full-disk", "cache"), join("full-disk", "spilling")];
    return names.map((name) => join(this.directory, name));
  }

  choose(room: Room, volumeBytes: number, random: Random): SnapshotChoice {
    const [roomy = "", small = "", fullDisk = "", spilling = ""] = this.directories;
    if (room === "roomy") return { cacheDirectory: roomy, initialBytes: 4 * MIB, maxBytes: 16 * volumeBytes };
    if (room === "spill") {
      const first = { cacheDirectory: spilling, initialBytes: MIB, maxBytes: random.whole(1, 64) * MIB };
      return { ...first, spill: [{ directory: roomy, maxBytes: 16 * volumeBytes }] };
    }
    const policy: SnapshotChoice = random.chance(0.25)
      ? { whenFull: "hold", holdMs: random.whole(50, 300) }
      : { whenFull: "release" };
    if (room === "fullDisk") {
      return { ...policy, cacheDirectory: fullDisk, initialBytes: 2 * MIB, maxBytes: 16 * volumeBytes };
    }
    const maxBytes = random.whole(2, 6) * MIB;
    return { ...policy, cacheDirectory: small, initialBytes: random.pick([MIB, maxBytes]), maxBytes };
  }
}
