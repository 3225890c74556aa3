/**
 * Snapshots of several volumes taken at one instant: reserve, freeze, export, mount. Each step is journaled on the
 * given undo stack before it is done; the caller unwinds that stack whatever happens, and so releases the group.
 * All or nothing: a step that fails for one volume throws for all.
 */
import { randomBytes } from "node:crypto";
import { chooseCaches, type JudgedLocation, type Placement } from "@/server/core/planning/cache-choice";
import { cacheDirectory, keepPrivate, locationOf } from "../cache/cache-directory";
import { pause } from "../clock";
import { EngineRefused } from "../engine/client";
import { asEngineFault, refusalFault } from "../engine/engine-fault";
import { FaultError } from "../fault";
import type { Host } from "../host";
import { log } from "../log";
import type { AttachedVolume } from "../volumes/known-volumes";
import { type MountedAt, mountedAt } from "../volumes/mounted-at";
import { type CacheDemand, noCacheRoom, snapshotLost } from "./cache-fault";
import { CacheWatch } from "./cache-watch";
import { type FreezeMember, type Frozen, freezeGroup } from "./freeze";
import { mountFrozen, pinNamespace } from "./namespace";
import type { UndoStack } from "./undo";

/** An engine that hangs does not hold up the release of the others. */
const LAST_LOOK_MS = 2000;

export interface Member {
  volume: AttachedVolume;
  snapshot: string;
  location: string;
  reservedBytes: number;
  /** In all its places together. */
  maxBytes: number;
  takenAt: string | null;
  device: string | null;
  /** Where it was mounted at the instant; null while that is not known, and where it was not. */
  mounted: MountedAt | null;
}

export class SnapshotGroup {
  readonly members: Member[] = [];
  readonly watch = new CacheWatch();

  constructor(
    private readonly host: Host,
    readonly id: string,
    private readonly undo: UndoStack,
    private readonly demand: CacheDemand,
  ) {}

  /** The broker's choice, then room on disk for each volume, before anything is frozen. */
  async reserve(volumes: readonly AttachedVolume[], onReserved?: (member: Member) => void): Promise<void> {
    const { cache } = this.demand;
    const candidates = await this.host.caches.candidates(cache.location);
    const needs = volumes.map((v) => ({ name: v.record.name, sizeBytes: v.sizeBytes }));
    const choice = chooseCaches(needs, candidates, cache);
    if (!choice.ok) throw await noCacheRoom(this.host, this.demand, choice.reason, choice.locations);
    for (const volume of volumes) {
      const placement = choice.placements.find((p) => p.volume === volume.record.name) as Placement;
      const member = await this.prepare(volume, placement, choice.locations);
      this.members.push(member);
      onReserved?.(member);
    }
  }

  /** Freezes all at once and takes the instants. A volume that is not mounted is taken as it is, right after. */
  async freeze(signal: AbortSignal): Promise<Frozen> {
    const mounted: FreezeMember[] = [];
    for (const member of this.members) {
      member.mounted = await mountedAt(member.volume.device);
      if (member.mounted !== null) mounted.push({ ...member, mount: member.mounted.freezeAt });
    }
    const frozen: Frozen =
      mounted.length > 0
        ? await freezeGroup(this.host.places.native, mounted, signal)
        : { frozenMs: 0, spreadMs: 0, takenAt: {} };
    for (const member of this.members) {
      const name = member.volume.record.name;
      const taken = frozen.takenAt[name] ?? (await this.activateUnmounted(member));
      member.takenAt = taken;
      frozen.takenAt[name] = taken;
    }
    return frozen;
  }

  /** A read-only block device for each image. */
  async export(): Promise<void> {
    for (const member of this.members) {
      const { runDirectory } = member.volume;
      await this.undo.push({ kind: "export", runDirectory, snapshot: member.snapshot });
      member.device = await this.host.engine.export(runDirectory, member.snapshot);
    }
  }

  /** Mounts the images wherever the volumes are mounted, in a namespace of their own; returns its file. */
  async mount(): Promise<string> {
    await this.undo.push({ kind: "namespace", id: this.id });
    const namespace = await pinNamespace(this.host.places, this.id);
    await mountFrozen(
      namespace,
      this.members.flatMap(({ device, mounted }) =>
        device === null || mounted === null
          ? []
          : [{ device, points: mounted.points, parts: mounted.parts, fsType: mounted.fsType }],
      ),
    );
    return namespace;
  }

  /** Throws where a path that is to be read as the volume's is no place of its frozen image: live files may lie there. */
  mustBeFrozenAt(name: string, mount: string | null): void {
    const member = this.members.find((m) => m.volume.record.name === name);
    if (mount !== null && member?.mounted?.points.includes(mount)) return;
    const where = mount === null ? "" : ` at ${mount}`;
    throw new FaultError("failed", `volume "${name}" was not mounted${where} when its snapshot was taken`);
  }

  /** The fault for the first snapshot that was lost, or null while all are whole. */
  async lost(): Promise<FaultError | null> {
    const { loss } = this.watch;
    if (loss === null) return null;
    const member = this.members.find((m) => m.volume.record.name === loss.volume);
    return snapshotLost(this.host, this.demand, loss, {
      location: member?.location ?? "",
      maxBytes: member?.maxBytes ?? 0,
      curve: this.watch.curve(loss.volume),
    });
  }

  /** Takes a last look at every engine that answers, so that losses and figures up to now are known. */
  async settle(): Promise<void> {
    const looks = this.members.map((m) => m.volume.watch.describe().catch(() => null));
    await Promise.race([Promise.all(looks), pause(LAST_LOOK_MS)]);
  }

  private async prepare(volume: AttachedVolume, placement: Placement, locations: JudgedLocation[]): Promise<Member> {
    const snapshot = `s-${randomBytes(6).toString("hex")}`;
    const { cache } = this.demand;
    const directory = cacheDirectory(placement.location);
    const { name } = volume.record;
    for (const { location } of [placement, ...placement.spill]) await keepPrivate(location);
    await this.undo.push({ kind: "snapshot", volume: name, runDirectory: volume.runDirectory, snapshot });
    try {
      const { reservedBytes, refused } = await volume.watch.request(
        "prepare",
        {
          snapshot,
          cache: { directory, initialBytes: placement.initialBytes, maxBytes: placement.maxBytes },
          whenFull: cache.whenFull,
          holdMs: cache.holdMs,
          skipFreeBlocks: cache.skipFreeBlocks,
          spill: placement.spill.map((s) => ({ directory: cacheDirectory(s.location), maxBytes: s.maxBytes })),
        },
        60_000,
      );
      for (const { directory, reason } of refused) {
        log.warn({ volume: name, location: locationOf(directory), reason }, "a cache cannot spill over there");
      }
      this.watch.follow(volume, snapshot);
      const { location } = placement;
      const maxBytes = placement.spill.reduce((sum, s) => sum + s.maxBytes, placement.maxBytes);
      return { volume, snapshot, location, reservedBytes, maxBytes, takenAt: null, device: null, mounted: null };
    } catch (error) {
      if (error instanceof EngineRefused && error.kind === "noSpace") {
        const refused = { volume: name, errno: error.errno, cause: error };
        throw await noCacheRoom(this.host, this.demand, error.message, locations, refused);
      }
      if (error instanceof EngineRefused) {
        throw refusalFault(error.kind, `the engine of "${name}" refused: ${error.message}`, { cause: error });
      }
      throw await asEngineFault(volume, error);
    }
  }

  private async activateUnmounted(member: Member): Promise<string> {
    try {
      return (await member.volume.watch.request("activate", { snapshot: member.snapshot })).takenAt;
    } catch (error) {
      throw await asEngineFault(member.volume, error);
    }
  }
}
