/** The end of a run that went well: old backups of its job are removed, where the job says which stay. */
import type { RunSpec } from "@/server/core/contracts/job";
import { keepPassword, newSecretPath } from "../backup/restic";
import { removeOldBackups } from "../backup/restic-retention";
import { messageOf } from "../fault";
import type { Host } from "../host";
import { log } from "../log";
import { UndoStack } from "../snapshots/undo";
import { groupUndoId } from "./run-journal";
import type { RunVoice } from "./run-voice";

/**
 * `after`: the number of the run's groups, which are all done. False when it did not work, which the log then says;
 * the backup itself is good. Never throws.
 */
export async function retain(
  host: Host,
  spec: RunSpec,
  voice: RunVoice,
  after: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { destination, password } = spec;
  if (destination.kind !== "restic" || destination.retention === undefined || password === null) return true;
  const { repository, retention } = destination;
  const undo = new UndoStack(host.places, groupUndoId(spec.runId, after), host.undoer);
  try {
    const passwordFile = newSecretPath(host.places);
    await undo.push({ kind: "file", path: passwordFile });
    await keepPassword(host.places, passwordFile, password);
    await undo.push({ kind: "resticLocks", repository, passwordFile });
    const say = (text: string) => voice.log("info", text);
    const { jobId, runId, selection } = spec;
    const work = { repository: { repository, passwordFile }, jobId, runId, volumes: selection.volumes, retention, say };
    await removeOldBackups(host.places, undo, work, signal);
    return true;
  } catch (err) {
    if (signal.aborted) return true;
    log.warn({ err, run: spec.runId }, "old backups were not removed");
    await voice.log("warn", `old backups were not removed; the next run tries again: ${messageOf(err)}`);
    return false;
  } finally {
    await undo.unwind();
  }
}
