/** Where a snapshot's cache may lie: with room for everything, with a small maximum, or where the disk runs full. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { MIB, type SnapshotChoice, unmount } from "../fixtures/attached-volume";
import type { Cleanup } from "../fixtures/cleanup";
import type { Random } from "./random";

export type Room = "roomy" | "small" | "fullDisk";

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
    return [join(this.directory, "roomy"), join(this.directory, "small"), join(this.directory, "full-disk", "cache")];
  }

  choose(room: Room, volumeBytes: number, random: Random): SnapshotChoice {
    const [roomy = "", small = "", fullDisk = ""] = this.directories;
    if (room === "roomy") return { cacheDirectory: roomy, initialBytes: 4 * MIB, maxBytes: 16 * volumeBytes };
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
