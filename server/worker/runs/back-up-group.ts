/**
 * The backing up of a group: by restic one volume after the other, or by one command for all. Says for each volume
 * how it went; throws only when the run was cancelled or a snapshot was lost, for then the whole group has failed.
 */
import type { RunSpec } from "@/server/core/contracts/job";
import type { VolumeResult } from "@/server/core/contracts/run";
import { pathsByVolume } from "@/server/core/planning/selection";
import { runLongProgram } from "../backup/long-program";
import type { Repository } from "../backup/restic";
import {
  type BackupProgress,
  backUpWithRestic,
  errnoIn,
  jobTag,
  RESTIC_INCOMPLETE,
  type ResticOutcome,
  runTag,
  volumeTag,
} from "../backup/restic-backup";
import { findMissing, type MissingPath } from "../backup/selected-paths";
import { codedFault, type FaultError } from "../fault";
import type { Host } from "../host";
import type { SnapshotGroup } from "../snapshots/snapshot-group";
import type { UndoStack } from "../snapshots/undo";
import { deviceReadBytes } from "../volumes/block-device";
import type { RunTarget } from "./run-target";

export interface VolumeBackup {
  state: VolumeResult["state"];
  fault: FaultError | null;
  bytesRead: number;
  backupSnapshot: string | null;
}

export interface GroupBackup {
  host: Host;
  spec: RunSpec;
  undo: UndoStack;
  /** Null when every volume is read live. */
  group: SnapshotGroup | null;
  namespace: string | null;
  repository: Repository | null;
  targets: RunTarget[];
  /** All volumes of the run, to know whose a selected path is. */
  allMounts: { name: string; mount: string }[];
  signal: AbortSignal;
  onProgress: (progress: BackupProgress) => void;
  onLine: (text: string) => void;
}

/** Results by volume name. */
export async function backUpGroup(work: GroupBackup): Promise<Map<string, VolumeBackup>> {
  const { destination } = work.spec;
  return destination.kind === "restic" ? eachByRestic(work) : allByCommand(work, destination.command);
}

async function eachByRestic(work: GroupBackup): Promise<Map<string, VolumeBackup>> {
  const results = new Map<string, VolumeBackup>();
  const totals = new Map(work.targets.map((t) => [t.name, { bytes: t.usedBytes, files: 0 }]));
  const done = { bytes: 0, files: 0 };
  for (const target of work.targets) {
    const { missing, present } = await split(work, target.name);
    const outcome =
      present.length === 0 || work.repository === null
        ? null
        : await backUpWithRestic(
            work.host.places,
            work.undo,
            {
              repository: work.repository,
              namespace: work.namespace,
              paths: present,
              excludes: work.spec.selection.excludes,
              tags: ["stillframe", runTag(work.spec.runId), jobTag(work.spec.jobId), volumeTag(target.name)],
              onProgress: (p) => {
                totals.set(target.name, { bytes: p.bytesTotal, files: p.filesTotal });
                const sum = [...totals.values()].reduce((a, t) => ({
                  bytes: a.bytes + t.bytes,
                  files: a.files + t.files,
                }));
                work.onProgress({
                  ...p,
                  bytesDone: done.bytes + p.bytesDone,
                  filesDone: done.files + p.filesDone,
                  bytesTotal: Math.max(sum.bytes, done.bytes + p.bytesDone),
                  filesTotal: Math.max(sum.files, done.files + p.filesDone),
                });
              },
            },
            work.signal,
          );
    await throwWhenLost(work);
    done.bytes += outcome?.bytesProcessed ?? 0;
    totals.set(target.name, { bytes: outcome?.bytesProcessed ?? 0, files: totals.get(target.name)?.files ?? 0 });
    results.set(target.name, judgeRestic(target.name, outcome, missing));
  }
  return results;
}

function judgeRestic(name: string, outcome: ResticOutcome | null, missing: MissingPath[]): VolumeBackup {
  const bytesRead = outcome?.bytesProcessed ?? 0;
  const backupSnapshot = outcome?.backupSnapshot ?? null;
  const ended = (state: VolumeResult["state"], fault: FaultError | null) => ({
    state,
    fault,
    bytesRead,
    backupSnapshot,
  });
  const status = outcome?.result.exitCode ?? 0;
  if (missing[0] !== undefined) return ended("failed", missingPath(missing));
  if (outcome === null || (status === 0 && outcome.result.signal === null)) return ended("succeeded", null);
  if (status === RESTIC_INCOMPLETE) return ended("warnings", unreadable(name, outcome));
  return ended("failed", programFailed("restic", outcome.result));
}

async function allByCommand(work: GroupBackup, command: string): Promise<Map<string, VolumeBackup>> {
  const missing: MissingPath[] = [];
  const paths: string[] = [];
  for (const target of work.targets) {
    const parts = await split(work, target.name);
    missing.push(...parts.missing);
    paths.push(...parts.present);
  }
  const before = await bytesReadByDevice(work);
  const totalBytes = work.targets.reduce((sum, t) => sum + t.usedBytes, 0);
  const timer = setInterval(async () => {
    const read = await bytesReadByDevice(work);
    const bytesDone = [...read].reduce((sum, [name, bytes]) => sum + bytes - (before.get(name) ?? 0), 0);
    const bytesTotal = Math.max(totalBytes, bytesDone);
    work.onProgress({ bytesDone, bytesTotal, filesDone: 0, filesTotal: 0, currentFile: null });
  }, 1000);
  const result = await runLongProgram(
    work.undo,
    {
      program: "/bin/sh",
      args: ["-c", command],
      namespace: work.namespace,
      env: {
        STILLFRAME_PATHS: paths.join("\n"),
        STILLFRAME_RUN_ID: work.spec.runId,
        STILLFRAME_JOB: work.spec.jobName,
      },
      what: "backup command",
      onLine: work.onLine,
    },
    work.signal,
  ).finally(() => clearInterval(timer));
  await throwWhenLost(work);
  const after = await bytesReadByDevice(work);
  const fault = result.exitCode === 0 ? null : programFailed("the command", result);
  const lacking = missing.length > 0 ? missingPath(missing) : null;
  return new Map(
    work.targets.map((t) => [
      t.name,
      {
        state: fault === null && lacking === null ? "succeeded" : "failed",
        fault: lacking ?? fault,
        bytesRead: (after.get(t.name) ?? 0) - (before.get(t.name) ?? 0),
        backupSnapshot: null,
      },
    ]),
  );
}

/** A volume's selected paths: those that are there, and those that are not. Paths on no volume count for the first. */
async function split(work: GroupBackup, name: string): Promise<{ missing: MissingPath[]; present: string[] }> {
  const { paths, elsewhere } = pathsByVolume(work.allMounts, work.spec.selection.paths);
  const wanted = paths[name] ?? [];
  const missing = await findMissing(work.namespace, wanted);
  const present = wanted.filter((p) => !missing.some((m) => m.path === p));
  const stray = work.allMounts[0]?.name === name ? await findMissing(null, elsewhere) : [];
  const offVolume = work.allMounts[0]?.name === name ? elsewhere : [];
  const strayPaths = offVolume.map(
    (path) => stray.find((m) => m.path === path) ?? { path, errno: 2, existsLive: true },
  );
  return { missing: [...missing, ...strayPaths], present };
}

/** The snapshot's loss is the cause of whatever the backup program said about it. */
async function throwWhenLost(work: GroupBackup): Promise<void> {
  await work.group?.settle();
  const lost = await work.group?.lost();
  if (lost) throw lost;
  work.signal.throwIfAborted();
}

async function bytesReadByDevice(work: GroupBackup): Promise<Map<string, number>> {
  const read = new Map<string, number>();
  for (const member of work.group?.members ?? []) {
    if (member.device !== null) read.set(member.volume.record.name, await deviceReadBytes(member.device));
  }
  return read;
}

function missingPath(missing: MissingPath[]): FaultError {
  const first = missing[0] as MissingPath;
  const others = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
  return codedFault("failed", "a00084af", `${first.path}${others} cannot be found in the snapshot`, {
    path: first.path,
    errno: first.errno,
    existsLive: first.existsLive,
    snapshotReleased: false,
  });
}

function unreadable(name: string, outcome: ResticOutcome): FaultError {
  const first = outcome.unreadable[0];
  const count = outcome.unreadable.length;
  return codedFault("failed", "a00084af", `${count} file(s) of "${name}" could not be read, first ${first?.path}`, {
    path: first?.path ?? "",
    errno: errnoIn(first?.error ?? ""),
    existsLive: null,
    snapshotReleased: false,
  });
}

function programFailed(program: string, result: ResticOutcome["result"]): FaultError {
  const ended = result.exitCode === null ? `was ended by ${result.signal}` : `ended with ${result.exitCode}`;
  const last = result.lines.at(-1);
  return codedFault("failed", "SF-103", `${program} ${ended}${last === undefined ? "" : `: ${last}`}`, {
    exitCode: result.exitCode,
    signal: result.signal,
    lines: result.lines,
  });
}
