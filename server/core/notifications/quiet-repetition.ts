/**
 * Quiet repetition: a failure that was told is not told again for a time of the channel's choice, but counted. When
 * the time is over and it came again, the count is told and the time begins anew; when it did not, it is forgotten.
 * A success that the channel is told of carries the counts and ends all of its job's quiet: what fails after it is news.
 */
import type { Severity } from "../contracts/notifications";
import type { ErrorCode } from "../errors/codes";
import { wants } from "./severity";

const MINUTE_MS = 60_000;

export type Listener = {
  id: string;
  enabled: boolean;
  tells: readonly Severity[];
  jobIds: readonly string[] | null;
  quietMinutes: number;
};

/** One failure of one job that one channel was told of. `until` in milliseconds since 1970. */
export type Quiet = {
  channelId: string;
  jobId: string;
  /** What counts as the same: the severity and the code. */
  failure: string;
  until: number;
  untold: number;
  lastRunId: string;
};

type Ending = { runId: string; jobId: string; severity: Severity; code: ErrorCode | null };

/** `untold`: how many of the same were kept quiet and are told with this one. */
export type Telling = { channelId: string; untold: number };

/** What one channel is told of a run's end, and its quiet after it. `quiets`: those of this channel and job. */
export function hear(
  listener: Listener,
  ending: Ending,
  quiets: readonly Quiet[],
  now: number,
): { tell: Telling | null; quiets: Quiet[] } {
  const { severity, jobId, runId } = ending;
  if (!concerns(listener, jobId, severity)) return { tell: null, quiets: [...quiets] };
  const channelId = listener.id;
  if (severity === "recovered" || severity === "succeeded") {
    const untold = quiets.reduce((sum, quiet) => sum + quiet.untold, 0);
    return { tell: { channelId, untold }, quiets: [] };
  }
  const failure = failureKey(severity, ending.code);
  const same = quiets.find((quiet) => quiet.failure === failure);
  const others = quiets.filter((quiet) => quiet !== same);
  if (same && same.until > now) {
    return { tell: null, quiets: [...others, { ...same, untold: same.untold + 1, lastRunId: runId }] };
  }
  const tell = { channelId, untold: same?.untold ?? 0 };
  if (listener.quietMinutes === 0) return { tell, quiets: others };
  const until = now + listener.quietMinutes * MINUTE_MS;
  return { tell, quiets: [...others, { channelId, jobId, failure, until, untold: 0, lastRunId: runId }] };
}

/** A quiet whose time is over: what is told of it, and whether it goes on. */
export function afterQuiet(
  listener: Listener,
  quiet: Quiet,
  now: number,
): { tell: Telling | null; quiet: Quiet | null } {
  if (quiet.untold === 0 || !concerns(listener, quiet.jobId, severityOfQuiet(quiet)))
    return { tell: null, quiet: null };
  const tell = { channelId: listener.id, untold: quiet.untold };
  const until = now + listener.quietMinutes * MINUTE_MS;
  return { tell, quiet: listener.quietMinutes === 0 ? null : { ...quiet, until, untold: 0 } };
}

function concerns({ enabled, jobIds, tells }: Listener, jobId: string, severity: Severity): boolean {
  return enabled && (jobIds === null || jobIds.includes(jobId)) && wants(tells, severity);
}

function failureKey(severity: Severity, code: ErrorCode | null): string {
  return code === null ? severity : `${severity} ${code}`;
}

export function severityOfQuiet({ failure }: Quiet): "failed" | "warning" {
  return failure.startsWith("warning") ? "warning" : "failed";
}
