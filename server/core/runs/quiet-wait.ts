/** A run's quiet window in words: while it waits for one, and where it went on without. */
import type { Run, RunEvent } from "../contracts/run";
import { formatDuration } from "../text/duration";

/** Volumes whose snapshot was taken at the time-out, without the window that the job wanted. */
export function withoutQuiet({ volumes }: Run): string[] {
  return volumes.flatMap(({ name, quiet, takenAt }) => (quiet === "missed" && takenAt !== null ? [name] : []));
}

export interface QuietWait {
  /** By the host's clock. */
  since: string;
  /** Null: no gap was told of yet. */
  longestMs: number | null;
  minimumMs: number;
  timeoutMs: number;
}

/** What the run waits for at present; null: for no window, or its worker does not say for which. */
export function quietWait(events: readonly RunEvent[]): QuietWait | null {
  const begun = events.findLastIndex(({ type }) => type === "phase");
  const phase = events[begun];
  if (phase?.type !== "phase" || phase.phase !== "waitingForQuiet" || !phase.quiet) return null;
  const later = events.slice(begun + 1);
  if (later.some(({ type }) => type === "quietEnded" || type === "ended")) return null;
  const gap = later.findLast((event) => event.type === "quietGap");
  return { since: phase.at, longestMs: gap?.longestMs ?? null, ...phase.quiet };
}

/** `now`: milliseconds since 1970. Clocks may differ by a little: it has never waited longer than it may. */
export function waitedFor({ since, timeoutMs }: QuietWait, now: number): number {
  return Math.min(timeoutMs, Math.max(0, now - Date.parse(since)));
}

export function quietWaitWords(wait: QuietWait, waitedMs: number): string {
  const { longestMs, minimumMs, timeoutMs } = wait;
  const gap =
    longestMs === null
      ? `no gap seen yet, ${formatDuration(minimumMs)} wanted`
      : `longest gap so far ${formatDuration(longestMs)}, ${formatDuration(minimumMs)} wanted`;
  return `${gap}; waited ${seconds(waitedMs)}, at most ${seconds(timeoutMs - waitedMs)} more`;
}

function seconds(ms: number): string {
  const whole = Math.round(ms / 1000);
  return whole < 60 ? `${whole} s` : formatDuration(whole * 1000);
}
