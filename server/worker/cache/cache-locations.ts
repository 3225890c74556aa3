/**
 * The places where caches may be kept, measured. Every location has a private directory (`cache-directory.ts`) in which
 * the engines make their files; a file there that nobody needs any more is an orphan (`orphans.ts`).
 */
import { mkdir, realpath, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { CacheLocation } from "@/server/core/contracts/volume";
import type { CandidateLocation } from "@/server/core/planning/cache-choice";
import { FaultError } from "../fault";
import { log } from "../log";
import { engineDirectory, type Places } from "../places";
import { readJson, writeJson } from "../state/json-file";
import { deviceNumber, loopBackingFile } from "../volumes/block-device";
import type { KnownVolumes } from "../volumes/known-volumes";
import { mountOf, readMounts } from "../volumes/mount-table";
import { locationOf, whyNotWritable } from "./cache-directory";
import { type Needs, orphansAt, removeOrphansAt } from "./orphans";

export class CacheLocations {
  constructor(
    private readonly places: Places,
    private readonly known: KnownVolumes,
  ) {}

  /** What the administrator allows; nothing said: `<home>/cache`. */
  async allowed(): Promise<string[]> {
    const chosen = await readJson(this.places.allowedCaches, z.array(z.string()));
    if (chosen !== null && chosen.length > 0) return chosen;
    await mkdir(this.places.defaultCache, { recursive: true, mode: 0o700 });
    return [this.places.defaultCache];
  }

  /** `cache.allow`. Refuses a place that could never hold a cache. */
  async allow(locations: string[]): Promise<void> {
    for (const path of locations) {
      const place = await this.measure(path);
      const reason = !place.exists
        ? "does not exist or is not a directory"
        : !place.writable
          ? `is not writable: ${place.whyNotWritable}`
          : place.engineVolume !== null
            ? `lies on "${place.engineVolume}", which an engine serves`
            : null;
      if (reason !== null) throw new FaultError("invalid", `${path} ${reason}`, { field: "locations" });
    }
    await writeJson(this.places.allowedCaches, locations);
  }

  /** Measured for the broker's choice; `only` when the job names a location. */
  async candidates(only: string | null): Promise<CandidateLocation[]> {
    const paths = only === null ? await this.allowed() : [only];
    return Promise.all(paths.map((path) => this.measure(path)));
  }

  /** `cache.list`. */
  async list(): Promise<CacheLocation[]> {
    return Promise.all((await this.pathsInUse()).map((path) => this.describe(path)));
  }

  /** `cache.removeOrphans`, also done at every start. */
  async removeOrphans(): Promise<{ removed: string[]; freedBytes: number }> {
    const removed: string[] = [];
    let freedBytes = 0;
    for (const path of await this.pathsInUse()) {
      for (const orphan of await removeOrphansAt(path, this.needsAt(path))) {
        removed.push(orphan.path);
        freedBytes += orphan.sizeBytes;
      }
    }
    if (removed.length > 0) log.info({ removed, freedBytes }, "orphaned cache files removed");
    return { removed, freedBytes };
  }

  /** Allowed locations, and others that hold a cache now because a job named them. */
  private async pathsInUse(): Promise<string[]> {
    const used = this.openCaches().map((c) => c.location);
    return [...new Set([...(await this.allowed()), ...used])];
  }

  /** Each cache file with the snapshots that may write to it. */
  private openCaches(): { location: string; snapshots: string[]; usedBytes: number; reservedBytes: number }[] {
    return this.known.allAttached().flatMap(({ watch }) =>
      (watch.latest?.cache.places ?? []).map(({ directory, usedBytes, reservedBytes }) => ({
        location: locationOf(directory),
        snapshots: (watch.latest?.snapshots ?? [])
          .filter((s) => s.cacheDirectory === directory || s.spill.some((place) => place.directory === directory))
          .map((s) => s.id),
        usedBytes,
        reservedBytes,
      })),
    );
  }

  private needsAt(location: string): Needs {
    return {
      beside: this.openCaches().some((c) => c.location === location),
      mayNeed: (volumeId, directory) => this.mayNeed(volumeId, directory),
    };
  }

  /** As long as a volume has a keeper or an engine, only the engine can say that it needs no cache there. */
  private async mayNeed(volumeId: string, directory: string): Promise<boolean> {
    const runDirectory = engineDirectory(this.places, volumeId);
    const traces = ["keeper.pid", "engine.sock"].map((name) => stat(join(runDirectory, name)).catch(() => null));
    if ((await Promise.all(traces)).every((trace) => trace === null)) return false;
    const volume = this.known.allAttached().find((v) => v.record.id === volumeId);
    const report = await volume?.watch.describe().catch(() => null);
    return report?.cache.places.some((place) => place.directory === directory) ?? true;
  }

  private async measure(path: string): Promise<CandidateLocation> {
    const real = await realpath(path).catch(() => null);
    const isDirectory = real !== null && (await stat(real)).isDirectory();
    if (real === null || !isDirectory) {
      return { path, exists: false, writable: false, freeBytes: 0, reservedBytes: 0, engineVolume: null };
    }
    const { bavail, bsize } = await statfs(real);
    const why = await whyNotWritable(real);
    const reserved = this.openCaches().filter((c) => c.location === path);
    return {
      path,
      exists: true,
      writable: why === null,
      ...(why !== null && { whyNotWritable: why }),
      freeBytes: bavail * bsize,
      reservedBytes: reserved.reduce((sum, c) => sum + c.reservedBytes, 0),
      engineVolume: await this.engineVolumeUnder(real),
    };
  }

  private async describe(path: string): Promise<CacheLocation> {
    const place = await this.measure(path);
    const fs = await statfs(path).catch(() => null);
    const open = this.openCaches().filter((c) => c.location === path);
    return {
      path,
      mount: mountOf(await readMounts(), path)?.mountPoint ?? "/",
      totalBytes: fs === null ? 0 : fs.blocks * fs.bsize,
      freeBytes: place.freeBytes,
      reservedBytes: place.reservedBytes,
      usedBytes: open.reduce((sum, c) => sum + c.usedBytes, 0),
      snapshots: open.flatMap((c) => c.snapshots),
      orphans: await orphansAt(path, this.needsAt(path)),
    };
  }

  /** Name of the volume that a path lies on when an engine serves that volume: ours by name, another's by its file. */
  private async engineVolumeUnder(path: string): Promise<string | null> {
    const mount = mountOf(await readMounts(), path);
    if (mount === null) return null;
    for (const volume of this.known.allAttached()) {
      if ((await deviceNumber(volume.device)) === mount.device) return volume.record.name;
    }
    const file = await loopBackingFile(mount.device);
    return file?.endsWith("/fuse/live") ? mount.mountPoint : null;
  }
}
