/**
 * Snapshots that a person made and keeps (`snapshot create`): recorded in `<home>/worker/snapshots`, so they outlive
 * the worker as their engines do. A record whose engine no longer has the snapshot is dropped.
 */
import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { HostOutput, snapshotCreateInput } from "@/server/core/contracts/host-methods";
import { absolutePath } from "@/server/core/contracts/job";
import { instant } from "@/server/core/contracts/time";
import type { Snapshot } from "@/server/core/contracts/volume";
import { groupsOf } from "@/server/core/planning/groups";
import { locationOf } from "../cache/cache-directory";
import { asEngineFault } from "../engine/engine-fault";
import type { SnapshotReport } from "../engine/protocol.gen";
import { asFault, FaultError } from "../fault";
import { aboutVolumes } from "../hooks/hook-calls";
import { RequestHooks } from "../hooks/request-hooks";
import type { Host } from "../host";
import { log } from "../log";
import { engineDirectory, volumeId } from "../places";
import { awaitQuietFor } from "../quiet/quiet-monitor";
import { readAllJson, removeFile, writeJson } from "../state/json-file";
import { fileSystemType } from "../volumes/block-device";
import type { AttachedVolume } from "../volumes/known-volumes";
import { frozenOptions, mountDevice, unmount } from "../volumes/mounting";
import { SnapshotGroup } from "./snapshot-group";
import { UndoStack } from "./undo";

const keptSchema = z.object({
  id: z.string(),
  group: z.string(),
  volume: z.string(),
  takenAt: instant,
  device: z.string(),
  cacheLocation: z.string(),
  cacheMaxBytes: z.number(),
  /** Where `snapshot mount` put it. */
  mounts: z.array(absolutePath),
  /** A reader has passed a part of it (`snapshot.passed`). */
  passed: z.boolean().default(false),
});
type Kept = z.infer<typeof keptSchema>;

interface Wish {
  input: z.output<typeof snapshotCreateInput>;
  /** All, not only those of one group. */
  volumes: AttachedVolume[];
  signal: AbortSignal;
  /** Where it is kept what hooks said. */
  said: string[];
}

export class KeptSnapshots {
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly host: Host) {}

  /** At start. */
  async load(): Promise<void> {
    for (const record of await readAllJson(this.host.places.snapshots, keptSchema)) this.kept.set(record.id, record);
    await this.forgetLost();
  }

  /** Forgets what its engine no longer has, for instance after a reboot. */
  async forgetLost(): Promise<void> {
    for (const record of [...this.kept.values()]) {
      const report = await this.reportOf(record);
      if (report === "unknown" || report !== null) continue;
      log.warn({ snapshot: record.id, volume: record.volume }, "a snapshot is gone from its engine");
      for (const target of record.mounts) await unmount(target).catch(() => {});
      await this.forget(record);
    }
  }

  /** `snapshot.create`: in one group, or each volume by itself. All are made, or none. */
  async create(
    input: z.output<typeof snapshotCreateInput>,
    signal: AbortSignal,
  ): Promise<HostOutput<"snapshot.create">> {
    const group = `g-${randomBytes(6).toString("hex")}`;
    const made: Kept[] = [];
    const said: string[] = [];
    const volumes = input.volumes.map((name) => this.host.known.requireAttached(name));
    const stacks: UndoStack[] = [];
    try {
      for (const [index, names] of groupsOf(input.mode, input.volumes).entries()) {
        const undo = new UndoStack(this.host.places, `take-${group}-${index}`, this.host.undoer);
        stacks.push(undo);
        const members = volumes.filter((v) => names.includes(v.record.name));
        made.push(...(await this.take(group, undo, members, { volumes, input, signal, said })));
      }
      for (const record of made) await this.save(record);
    } catch (error) {
      for (const record of made) await this.forget(record);
      for (const undo of stacks.reverse()) await undo.unwind();
      throw error;
    }
    for (const undo of stacks) await undo.keepDone();
    return { group, mode: input.mode, snapshots: await this.describe(made), said };
  }

  /** `snapshot.list`: all that the engines hold open, whoever made them. */
  async list(): Promise<Snapshot[]> {
    const found: Snapshot[] = [];
    for (const { record, watch } of this.host.known.allAttached()) {
      const report = await watch.describe().catch(() => watch.latest);
      for (const s of report?.snapshots ?? []) {
        if (s.takenAt === null || s.state === "prepared") continue;
        const kept = this.kept.get(s.id);
        found.push(toSnapshot(record.name, s, kept));
      }
    }
    return found;
  }

  /** `snapshot.mount`: read-only, in the host's own namespace. */
  async mount(id: string, target: string): Promise<void> {
    const record = this.require(id);
    if (record.passed) {
      throw new FaultError(
        "conflict",
        `snapshot ${id} can only be read on: a part of it was given up behind its reader`,
        {
          field: "id",
        },
      );
    }
    // By the image itself: a volume can be given a file system after it was attached.
    const fsType = (await fileSystemType(record.device)) ?? this.host.known.require(record.volume).fsType;
    await this.save({ ...record, mounts: [...record.mounts, target] });
    try {
      await mountDevice(record.device, target, fsType, frozenOptions(fsType));
    } catch (error) {
      await this.save(record);
      throw error;
    }
  }

  /** `snapshot.passed`: what its reader has passed is given up. Recorded first, so that nobody reads it by mistake. */
  async passed(id: string, offset: number): Promise<{ cacheFreedBytes: number }> {
    const record = this.require(id);
    const volume = this.host.known.requireAttached(record.volume);
    if (record.mounts.length > 0) {
      const message = `snapshot ${id} is mounted at ${record.mounts.join(", ")}: what is given up there could not be read`;
      throw new FaultError("busy", message, { field: "id" });
    }
    if (!record.passed) await this.save({ ...record, passed: true });
    try {
      return await volume.watch.request("progress", { snapshot: id, offset });
    } catch (error) {
      throw await asEngineFault(volume, error);
    }
  }

  /** `snapshot.release`: unmounts and lets go. */
  async release(id: string): Promise<void> {
    const record = this.require(id);
    for (const target of [...record.mounts].reverse()) await unmount(target);
    const runDirectory = this.runDirectoryOf(record);
    if (await hasEngine(runDirectory)) {
      await this.host.undoer({ kind: "export", runDirectory, snapshot: id });
      await this.host.undoer({ kind: "snapshot", volume: record.volume, runDirectory, snapshot: id });
      await this.host.known
        .findAttached(record.volume)
        ?.watch.describe()
        .catch(() => null);
    }
    await this.forget(record);
  }

  async releaseAll(): Promise<void> {
    for (const id of this.kept.keys()) {
      await this.release(id).catch((err: unknown) => log.error({ err, snapshot: id }, "release failed"));
    }
  }

  private async take(group: string, undo: UndoStack, members: AttachedVolume[], wish: Wish): Promise<Kept[]> {
    const { input, signal } = wish;
    const { openFile, mode } = input;
    const { cache } = openFile;
    const taking = new SnapshotGroup(this.host, undo.id, undo, { mode, cache, volumes: wish.volumes });
    const request = { id: undo.id, name: "snapshot create", mode, hooks: input.hooks };
    const { hooks, said } = RequestHooks.around(this.host, request, undo, signal);
    const about = await aboutVolumes(members);
    try {
      await taking.reserve(members);
      await hooks.prepare(about);
      const { native } = this.host.places;
      await awaitQuietFor(members, openFile.quiet, { signal, mode, native }, said);
      signal.throwIfAborted();
      await hooks.whileHeld(about, () => taking.freeze(signal));
      await hooks.settle("taken", null);
      await taking.export();
    } catch (error) {
      await hooks.settle(signal.aborted ? "stopped" : "failed", asFault(error).detail.code ?? null);
      throw error;
    } finally {
      taking.watch.stop();
      wish.said.push(...said);
    }
    return taking.members.map((m) => ({
      id: m.snapshot,
      group,
      volume: m.volume.record.name,
      takenAt: m.takenAt as string,
      device: m.device as string,
      cacheLocation: m.location,
      cacheMaxBytes: m.maxBytes,
      mounts: [],
      passed: false,
    }));
  }

  private async describe(records: Kept[]): Promise<Snapshot[]> {
    const all = await this.list();
    return records.flatMap((r) => all.find((s) => s.id === r.id) ?? []);
  }

  /** The engine's word on it: null when it has no such snapshot, `unknown` when it does not answer. */
  private async reportOf(record: Kept): Promise<SnapshotReport | null | "unknown"> {
    const volume = this.host.known.findAttached(record.volume);
    // One that could not be attached may have an engine all the same, with the snapshot open in it.
    if (volume === null) return (await hasEngine(this.runDirectoryOf(record))) ? "unknown" : null;
    const report = await volume.watch.describe().catch(() => null);
    if (report === null) return "unknown";
    return report.snapshots.find((s) => s.id === record.id) ?? null;
  }

  private runDirectoryOf({ volume }: Kept): string {
    const { known, places } = this.host;
    return engineDirectory(places, known.find(volume)?.id ?? volumeId(volume));
  }

  private require(id: string): Kept {
    const record = this.kept.get(id);
    if (record === undefined) throw new FaultError("notFound", `there is no snapshot "${id}"`, { field: "id" });
    return record;
  }

  private async save(record: Kept): Promise<void> {
    await writeJson(this.path(record.id), record);
    this.kept.set(record.id, record);
  }

  private async forget(record: Kept): Promise<void> {
    await removeFile(this.path(record.id));
    this.kept.delete(record.id);
  }

  private path(id: string): string {
    return join(this.host.places.snapshots, `${id}.json`);
  }
}

/** Its socket goes with the engine, and only then. */
async function hasEngine(runDirectory: string): Promise<boolean> {
  return (await stat(join(runDirectory, "engine.sock")).catch(() => null)) !== null;
}

function toSnapshot(volume: string, report: SnapshotReport, kept: Kept | undefined): Snapshot {
  return {
    id: report.id,
    group: kept?.group ?? report.id,
    volume,
    provider: "engine",
    takenAt: report.takenAt ?? new Date(0).toISOString(),
    device: kept?.device ?? null,
    cacheLocation: kept?.cacheLocation ?? locationOf(report.cacheDirectory),
    cacheMaxBytes: report.cacheMaxBytes,
    state: report.state === "prepared" ? "active" : report.state,
    cacheUsedBytes: report.cacheUsedBytes,
    preservedBlocks: report.preservedBlocks,
    skippedFreeBlocks: report.skippedFreeBlocks,
    passed: kept?.passed ?? false,
  };
}
