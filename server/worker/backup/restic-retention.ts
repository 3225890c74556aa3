/**
 * Removes old backups after a run that went well: `restic forget`, for each of the run's volumes by itself.
 *
 * What can be removed is only what carries the tags of this very job and volume; backups of other jobs, of people, and
 * those from before the tags do not count at all. The backup of the present run is kept by its own tag, whatever the
 * numbers say. A repository that another backup is using is waited for, within bounds; removing is then left to the
 * next run.
 */
import { z } from "zod";
import { type Retention, retentionPeriods } from "@/server/core/contracts/retention";
import { formatInstant } from "@/server/core/text/instant";
import { pause } from "../clock";
import { FaultError } from "../fault";
import type { Places } from "../places";
import type { UndoStack } from "../snapshots/undo";
import { runLongProgram } from "./long-program";
import { commonArguments, type Repository, resticFailed, unlockRepository } from "./restic";
import { jobTag, runTag, volumeTag } from "./restic-backup";

export interface RetentionWork {
  repository: Repository;
  jobId: string;
  runId: string;
  volumes: string[];
  retention: Retention;
  /** For the run's log. */
  say: (text: string) => Promise<void>;
}

const LOCK_TRIES = 60;
const LOCK_PAUSE_MS = 2000;
const MOST_NAMED = 10;

const snapshots = z.array(z.object({ short_id: z.string(), time: z.string() })).nullable();
const forgottenSchema = z.array(z.object({ keep: snapshots, remove: snapshots }));

/** Throws a fault with what restic said. */
export async function removeOldBackups(
  places: Places,
  undo: UndoStack,
  work: RetentionWork,
  signal: AbortSignal,
): Promise<void> {
  const { retention, say } = work;
  let removed = 0;
  for (const volume of work.volumes) {
    const tags = [jobTag(work.jobId), volumeTag(volume)].join(",");
    const keep = retentionPeriods.flatMap((period) =>
      retention[period] > 0 ? [`--keep-${period}`, String(retention[period])] : [],
    );
    const pinned = ["--keep-tag", runTag(work.runId)];
    // Without grouping: a job whose paths were changed goes on with the same backups.
    const args = ["forget", "--json", "--tag", tags, "--group-by", "", ...pinned, ...keep];
    for (const { keep: kept, remove } of read(await callLocked(places, undo, work, args, signal))) {
      const gone = remove ?? [];
      removed += gone.length;
      await say(`${volume}: ${count(kept?.length ?? 0)} kept, ${count(gone.length)} removed${named(gone)}`);
    }
  }
  if (!retention.prune || removed === 0) return;
  const lines = await callLocked(places, undo, work, ["prune"], signal);
  await say(lines.findLast((line) => /total prune|frees|removed/i.test(line)) ?? "the repository was pruned");
}

/** The lines of a call; tries again while another program has the repository. */
async function callLocked(
  places: Places,
  undo: UndoStack,
  { repository, say }: RetentionWork,
  args: string[],
  signal: AbortSignal,
): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    const all = [...commonArguments(places, repository), ...args];
    const env = { LC_ALL: "C.UTF-8" };
    const what = `restic ${args[0]}`;
    const result = await runLongProgram(undo, { program: "restic", args: all, namespace: null, env, what }, signal);
    signal.throwIfAborted();
    if (result.exitCode === 0) return result.lines;
    const said = result.lines.join("\n");
    if (!/already locked|unable to create lock/i.test(said)) {
      throw resticFailed({ exitCode: result.exitCode, signal: result.signal, stdout: "", stderr: said });
    }
    if (tries === LOCK_TRIES) throw new FaultError("busy", "another program is using the repository all the time");
    if (tries === 1) await say("another program is using the repository; old backups are removed after it");
    // A program that was killed is not using it any more.
    if (await unlockRepository(places, repository.repository, repository.passwordFile)) continue;
    await pause(LOCK_PAUSE_MS, signal);
    signal.throwIfAborted();
  }
}

/** Nothing where no backup has the tags. */
function read(lines: string[]): z.infer<typeof forgottenSchema> {
  const json = lines.find((line) => line.startsWith("["));
  return json === undefined ? [] : forgottenSchema.parse(JSON.parse(json));
}

const count = (n: number): string => `${n} ${n === 1 ? "backup" : "backups"}`;

function named(gone: { short_id: string; time: string }[]): string {
  if (gone.length === 0) return "";
  const listed = gone.slice(0, MOST_NAMED).map(({ short_id, time }) => `${short_id} of ${formatInstant(time)}`);
  const more = gone.length > MOST_NAMED ? ` and ${gone.length - MOST_NAMED} more` : "";
  return `: ${listed.join(", ")}${more}`;
}
