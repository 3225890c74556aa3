/**
 * What becomes of a start that the schedule foresees: the rules about runs that could not start in time.
 *
 * - The time of the next start is kept. Once it has come it stays, until a run stands for it or it is missed.
 * - Later times may come meanwhile (the console was down, the host away). Only the latest of them counts; those
 *   before it are missed, and told with it. However many there were, there is one start or one failure.
 * - A start that cannot be (host away, a volume in another run, the job's last run still on) waits for its grace.
 */
import type { Schedule } from "../contracts/schedule";
import { lastStart, nextStart } from "./schedule";

const MINUTE_MS = 60_000;
/** Beyond it nobody counts. */
export const MOST_COUNTED = 100;

export type DueStart =
  | { kind: "later"; next: Date | null }
  /** `missedBefore`: earlier times that passed without a run, at most `MOST_COUNTED`. It may start until `until`. */
  | { kind: "due"; dueAt: Date; missedBefore: number; until: Date; next: Date | null }
  /** `times`: with `dueAt`, the last of them. */
  | { kind: "missed"; firstAt: Date; dueAt: Date; times: number; next: Date | null };

/** `pending`: the next start as it is kept; null: none was worked out yet. */
export function judgeStart(schedule: Schedule, zone: string, pending: Date | null, now: Date): DueStart {
  const next = nextStart(schedule, zone, now);
  // A time to come is worked out anew: the host's zone may have become another.
  if (pending === null || pending > now) return { kind: "later", next };
  const latest = lastStart(schedule, zone, now);
  const dueAt = latest !== null && latest > pending ? latest : pending;
  const missedBefore = countUntil(schedule, zone, pending, dueAt);
  const until = new Date(dueAt.getTime() + schedule.graceMinutes * MINUTE_MS);
  if (now <= until) return { kind: "due", dueAt, missedBefore, until, next };
  return { kind: "missed", firstAt: pending, dueAt, times: missedBefore + 1, next };
}

/** How many starts lie from `first` up to, without, `end`. */
function countUntil(schedule: Schedule, zone: string, first: Date, end: Date): number {
  let count = 0;
  for (let at: Date | null = first; at !== null && at < end && count < MOST_COUNTED; count++) {
    at = nextStart(schedule, zone, at);
  }
  return count;
}
