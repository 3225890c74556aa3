/**
 * Carries one group of a run through its phases: reserve, wait for quiet, freeze, mount, back up, release. Whatever
 * happens on the way, the undo stack takes everything back in reverse, once, before the group is called done.
 */
import type { RunSpec } from "@/server/core/contracts/job";
import type { VolumeResult } from "@/server/core/contracts/run";
import type { ErrorCode } from "@/server/core/errors/codes";
import type { EvidenceFor } from "@/server/core/errors/evidence";
import { isWithin, normalPath } from "@/server/core/planning/selection";
import { keepPassword, newSecretPath, prepareRepository, type Repository } from "../backup/restic";
import { monotonicMs } from "../clock";
import { codedFault, FaultError, messageOf } from "../fault";
import { GroupHooks } from "../hooks/group-hooks";
import { type About, aboutVolumes } from "../hooks/hook-calls";
import type { Host } from "../host";
import { log } from "../log";
import { awaitQuiet, takenWithoutWindow } from "../quiet/quiet-monitor";
import type { Frozen } from "../snapshots/freeze";
import { SnapshotGroup } from "../snapshots/snapshot-group";
import { UndoStack } from "../snapshots/undo";
import { listVolumes } from "../volumes/discovery";
import type { AttachedVolume } from "../volumes/known-volumes";
import { backUpGroup, type VolumeBackup } from "./back-up-group";
import { groupUndoId } from "./run-journal";
import { type RunTarget, resolveTarget } from "./run-target";
import type { RunVoice } from "./run-voice";

export interface GroupOutcome {
  outcome: "succeeded" | "warnings" | "failed" | "cancelled";
  /** What was taken back, in words. */
  cleaned: string[];
}

/** Codes that mean "no snapshot could be had": with `readLive` the volumes are then read as they are. */
const NO_SNAPSHOT: readonly (ErrorCode | null)[] = ["a000851c", "SF-101", "SF-105", "OFO-COMM"];
const PROGRESS_EVERY_MS = 1000;
const MOST_LOGGED_LINES = 1000;

export class GroupCarrier {
  private readonly undo: UndoStack;
  private readonly hooks: GroupHooks;
  private snapshots: SnapshotGroup | null = null;
  private targets: RunTarget[] = [];
  private backups = new Map<string, VolumeBackup>();
  private failure: FaultError | null = null;
  private warning: FaultError | null = null;
  private progressAt = 0;
  private lines = 0;
  /** One cause is told once, also when several volumes have it. */
  private readonly told = new Set<FaultError>();

  constructor(
    private readonly host: Host,
    private readonly spec: RunSpec,
    private readonly voice: RunVoice,
    private readonly index: number,
    private readonly names: string[],
    private readonly signal: AbortSignal,
  ) {
    this.undo = new UndoStack(host.places, groupUndoId(spec.runId, index), host.undoer);
    this.hooks = new GroupHooks(spec, voice, index, this.undo, signal);
  }

  async carry(): Promise<GroupOutcome> {
    try {
      await this.voice.phase(this.index, "reserving");
      await this.advance();
    } catch (error) {
      if (!this.signal.aborted) await this.fail(error);
    }
    const cleaned = await this.release();
    const states = [...this.backups.values()].map((b) => b.state);
    const failed = this.failure !== null || states.includes("failed");
    if (this.signal.aborted && !failed) return { outcome: "cancelled", cleaned };
    if (failed) return { outcome: "failed", cleaned };
    const warned = this.warning !== null || this.hooks.warning !== null;
    return { outcome: warned || states.includes("warnings") ? "warnings" : "succeeded", cleaned };
  }

  private async advance(): Promise<void> {
    const volumes = await listVolumes(this.host.known);
    this.targets = this.names.map((name) => resolveTarget(this.host, name, volumes, this.spec.openFile));
    for (const { warning } of this.targets) if (warning !== null) await this.warn(warning);
    const repository = await this.openRepository();
    const namespace = await this.snapOrReadLive();
    await this.voice.phase(this.index, "backingUp");
    const known = new Map(volumes.flatMap((v) => (v.mount === null ? [] : [[v.name, v.mount] as const])));
    const allMounts = this.spec.selection.volumes.map((name) => ({ name, mount: known.get(name) ?? "/" }));
    const lost = this.snapshots?.watch.signal;
    this.backups = await backUpGroup({
      host: this.host,
      spec: this.spec,
      undo: this.undo,
      group: this.snapshots,
      namespace,
      repository,
      targets: this.targets,
      allMounts,
      signal: lost === undefined ? this.signal : AbortSignal.any([this.signal, lost]),
      onProgress: (progress) => this.tellProgress(progress),
      onLine: (text) => this.tellLine(text),
    });
    for (const [name, { fault, state }] of this.backups) {
      if (fault !== null) await this.tellFailure(fault, name);
      if (fault !== null && state === "failed") this.failure ??= fault;
    }
  }

  /** The namespace with the frozen images; null when everything is read live. */
  private async snapOrReadLive(): Promise<string | null> {
    try {
      return await this.snap(this.targets.flatMap((t) => (t.attached === null ? [] : [t.attached])));
    } catch (error) {
      const fault = this.asFault(error, "SF-105");
      await this.hooks.settle(this.signal.aborted ? "stopped" : "failed", fault.detail.code ?? null);
      const allowed = this.spec.openFile.noSnapshot === "readLive" && NO_SNAPSHOT.includes(fault.detail.code ?? null);
      if (!allowed || this.signal.aborted) throw fault;
      this.snapshots?.watch.stop();
      await this.undo.unwind();
      this.snapshots = null;
      this.targets = this.targets.map((t) => ({ ...t, attached: null, warning: t.warning ?? fault }));
      await this.openRepository();
      await this.warn(fault);
      return null;
    }
  }

  private async snap(volumes: AttachedVolume[]): Promise<string | null> {
    if (volumes.length === 0) return this.hooks.tellNotRun();
    const { openFile, mode, selection } = this.spec;
    const all = selection.volumes.flatMap((name) => this.host.known.findAttached(name) ?? []);
    const group = new SnapshotGroup(this.host, this.undo.id, this.undo, { mode, cache: openFile.cache, volumes: all });
    this.snapshots = group;
    const waiting: Promise<void>[] = [];
    await group.reserve(volumes, ({ volume, location, reservedBytes, maxBytes }) => {
      const name = volume.record.name;
      waiting.push(
        this.voice.say({ type: "cacheReserved", group: this.index, volume: name, location, reservedBytes, maxBytes }),
      );
    });
    await Promise.all(waiting);
    this.signal.throwIfAborted();
    const about = await aboutVolumes(volumes);
    await this.hooks.prepare(about);
    if (openFile.quiet.minimumMs > 0) await this.waitForQuiet(volumes);
    const { frozenMs, spreadMs, takenAt } = await this.freezeWhileHeld(group, about);
    await this.voice.say({
      type: "frozen",
      group: this.index,
      frozenMs,
      spreadMs,
      volumes: Object.entries(takenAt).map(([name, at]) => ({ name, takenAt: at })),
    });
    await this.voice.phase(this.index, "snapshotted");
    await this.hooks.settle("taken", null);
    this.signal.throwIfAborted();
    for (const { name, mount, attached } of this.targets) if (attached !== null) group.mustBeFrozenAt(name, mount);
    await group.export();
    return group.mount();
  }

  /** A snapshot during which an application did not stand still, though it had to, is none. */
  private async freezeWhileHeld(group: SnapshotGroup, about: About): Promise<Frozen> {
    try {
      return await this.hooks.whileHeld(about, async () => {
        await this.voice.phase(this.index, "freezing");
        return group.freeze(this.signal);
      });
    } catch (error) {
      for (const member of group.members) member.takenAt = null;
      throw error;
    }
  }

  private async waitForQuiet(volumes: AttachedVolume[]): Promise<void> {
    const { mode, openFile } = this.spec;
    const { minimumMs, timeoutMs } = openFile.quiet;
    await this.voice.phase(this.index, "waitingForQuiet", { quiet: { minimumMs, timeoutMs } });
    const ended = await awaitQuiet(volumes, openFile.quiet, {
      signal: this.signal,
      mode,
      onGap: (longestMs) => void this.voice.say({ type: "quietGap", group: this.index, longestMs }),
      native: this.host.places.native,
      tell: (level, text) => void this.voice.log(level, text),
    });
    this.signal.throwIfAborted();
    await this.voice.say({ type: "quietEnded", group: this.index, ...ended });
    if (ended.timedOut) await this.voice.log("warn", takenWithoutWindow(openFile.quiet));
  }

  /** Opens or makes the repository before anything is frozen, and journals what a killed restic would leave. */
  private async openRepository(): Promise<Repository | null> {
    const { destination, password } = this.spec;
    if (destination.kind !== "restic") return null;
    const { repository } = destination;
    if (password === null) throw backupFault(`the repository ${repository} needs a password`);
    const inside = this.targets.find((t) => t.attached !== null && isWithin(normalPath(repository), t.mount));
    if (inside !== undefined) {
      throw backupFault(`the repository ${repository} lies on "${inside.name}", a volume that is being backed up`);
    }
    const passwordFile = newSecretPath(this.host.places);
    await this.undo.push({ kind: "file", path: passwordFile });
    await keepPassword(this.host.places, passwordFile, password);
    await this.undo.push({ kind: "resticLocks", repository, passwordFile });
    try {
      const { created } = await prepareRepository(this.host.places, { repository, password });
      if (created) await this.voice.log("info", `made the restic repository ${repository}`);
    } catch (error) {
      throw this.asFault(error, "SF-103");
    }
    return { repository, passwordFile };
  }

  /** Takes everything back and tells each volume's result. Never throws. */
  private async release(): Promise<string[]> {
    const group = this.snapshots;
    await group?.settle();
    const figures = new Map(group?.members.map((m) => [m.volume.record.name, group.watch.peak(m.volume.record.name)]));
    const loss = group?.watch.loss ?? null;
    group?.watch.stop();
    await this.voice.phase(this.index, "releasing");
    const cleaned = await this.undo.unwind();
    for (const member of group?.members ?? []) {
      const volume = member.volume.record.name;
      if (this.undo.holds((step) => step.kind === "snapshot" && step.snapshot === member.snapshot)) {
        await this.voice.log("warn", `the snapshot of ${volume} is released as soon as its engine answers`);
        continue;
      }
      const givenUp = this.signal.aborted || loss !== null;
      const cause = loss?.volume === volume ? loss.cause : givenUp ? "cancelled" : "done";
      await this.voice.say({ type: "snapshotReleased", group: this.index, volume, cause });
    }
    for (const name of this.names) {
      const figure = figures.get(name) ?? { cacheUsedBytes: 0, preservedBlocks: 0, skippedFreeBlocks: 0 };
      const { result, backupSnapshot } = this.resultOf(name);
      await this.voice.say({
        type: "volumeEnded",
        group: this.index,
        result: { ...result, ...figure },
        backupSnapshot,
      });
    }
    await this.voice.phase(this.index, "done");
    return cleaned;
  }

  private resultOf(name: string): { result: VolumeResult; backupSnapshot: string | null } {
    const member = this.snapshots?.members.find((m) => m.volume.record.name === name);
    const target = this.targets.find((t) => t.name === name);
    const backup = this.backups.get(name);
    const live = target?.warning ?? null;
    const unfinished = this.signal.aborted && this.failure === null ? "cancelled" : "failed";
    const state = backup === undefined ? unfinished : backup.state === "succeeded" && live ? "warnings" : backup.state;
    const fault = backup?.fault ?? live ?? (state === "failed" ? this.failure : null);
    const result: VolumeResult = {
      name,
      provider: member?.takenAt ? "engine" : "none",
      takenAt: member?.takenAt ?? null,
      state,
      code: fault?.detail.code ?? null,
      cacheUsedBytes: 0,
      bytesRead: backup?.bytesRead ?? 0,
      preservedBlocks: 0,
      skippedFreeBlocks: 0,
      cacheLocation: member?.location ?? null,
      cacheMaxBytes: member?.maxBytes ?? 0,
    };
    return { result, backupSnapshot: backup?.backupSnapshot ?? null };
  }

  private tellProgress(progress: {
    bytesDone: number;
    bytesTotal: number;
    filesDone: number;
    filesTotal: number;
    currentFile: string | null;
  }): void {
    if (monotonicMs() - this.progressAt < PROGRESS_EVERY_MS) return;
    this.progressAt = monotonicMs();
    void this.voice.say({ type: "progress", group: this.index, ...progress });
  }

  /** What a command says goes into the run's log, up to a bound: the log is for people. */
  private tellLine(text: string): void {
    this.lines += 1;
    if (this.lines <= MOST_LOGGED_LINES) void this.voice.log("debug", text.slice(0, 2000));
    if (this.lines === MOST_LOGGED_LINES) void this.voice.log("debug", "(the rest of the output is not kept)");
  }

  /** The first failure of the group; a lost snapshot is the cause of whatever failed after it. */
  private async fail(error: unknown): Promise<void> {
    await this.snapshots?.settle();
    const lost = await this.snapshots?.lost().catch((err: unknown) => {
      log.error({ err, run: this.spec.runId }, "a snapshot was lost, and its evidence cannot be had");
      return null;
    });
    const fault = lost ?? this.asFault(error, this.voice.run.state === "backingUp" ? "SF-103" : "SF-105");
    this.failure = fault;
    await this.tellFailure(fault, null);
  }

  private async tellFailure(fault: FaultError, name: string | null): Promise<void> {
    const { code, evidence } = fault.detail;
    if (code === undefined || this.told.has(fault)) return;
    this.told.add(fault);
    const about =
      typeof evidence?.volume === "string" ? evidence.volume : this.names.length === 1 ? this.names[0] : name;
    const volume = about ?? null;
    await this.voice.say({ type: "failure", code, volume, message: fault.message, evidence: evidence ?? {} });
  }

  private async warn(fault: FaultError): Promise<void> {
    this.warning ??= fault;
    await this.voice.log("warn", `${fault.message}; it is read live`, fault.detail.code ?? null);
  }

  /** Every failure of a run has a code: one without gets that of the step it happened in. */
  private asFault(error: unknown, code: "SF-103" | "SF-105"): FaultError {
    if (error instanceof FaultError && error.detail.code !== undefined) return error;
    const message = messageOf(error);
    log.warn({ err: error, run: this.spec.runId }, "a run failed");
    if (code === "SF-103") {
      const evidence = error instanceof FaultError ? error.detail.evidence : undefined;
      return backupFault(message, error, evidence);
    }
    const providers = [{ name: "engine", reason: message }];
    return codedFault("failed", code, message, { volume: this.names[0] ?? null, providers }, error);
  }
}

/** Without evidence of its end: it was not started. */
function backupFault(
  message: string,
  cause?: unknown,
  evidence: EvidenceFor<"SF-103"> = { lines: [message] },
): FaultError {
  return codedFault("failed", "SF-103", message, evidence, cause);
}
