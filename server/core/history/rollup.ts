/**
 * How history is kept: in three steps, each row of a coarser one the sum of what a finer one had. For a volume that
 * is 17,280 rows of 10 s, 17,280 of 5 min and 17,520 of 1 h at the most, some 8 MB, however long it is watched.
 */
import type { Activity } from "../contracts/activity";
import { followedBy, writeRate } from "./activity";

const SECOND = 1000;
const DAY = 24 * 3_600_000;

export const steps = [
  { name: "10s", ms: 10 * SECOND, keptMs: 2 * DAY },
  { name: "5min", ms: 300 * SECOND, keptMs: 60 * DAY },
  { name: "1h", ms: 3600 * SECOND, keptMs: 730 * DAY },
] as const;
export type Step = (typeof steps)[number];
export type StepName = Step["name"];

/**
 * Upper ends of the histogram of change rates, bytes a second: nothing, then powers of two from 1 KiB/s on. The
 * last holds everything above.
 */
export const RATE_BUCKETS = [0, ...Array.from({ length: 23 }, (_, i) => 1024 * 2 ** i)] as const;

/** A row: a step's stretch of time that begins at `atMs`, and how often each rate was measured in it. */
export interface Rollup {
  atMs: number;
  activity: Activity;
  rates: readonly number[];
}

export function stepNamed(name: StepName): Step {
  return steps.find((one) => one.name === name) as Step;
}

/** Where the row begins that a stretch belongs to: the one in which it began. */
export function rowStart(step: Step, activity: Activity): number {
  return Math.floor(activity.fromMs / step.ms) * step.ms;
}

/** A worker's summary as the first of a row. */
export function rollupOf(atMs: number, activity: Activity): Rollup {
  const bucket = rateBucket(writeRate(activity) ?? 0);
  return { atMs, activity, rates: RATE_BUCKETS.map((_, i) => (i === bucket ? 1 : 0)) };
}

/** The row with one more; `row` is null where there is none yet. Late summaries are counted too. */
export function withMore(row: Rollup | null, more: Rollup): Rollup {
  if (row === null) return more;
  const inOrder = more.activity.fromMs >= row.activity.fromMs;
  return {
    atMs: row.atMs,
    activity: inOrder ? followedBy(row.activity, more.activity) : followedBy(more.activity, row.activity),
    rates: row.rates.map((n, i) => n + (more.rates[i] ?? 0)),
  };
}

function rateBucket(bytesPerSecond: number): number {
  const found = RATE_BUCKETS.findIndex((upTo) => bytesPerSecond <= upTo);
  return found === -1 ? RATE_BUCKETS.length - 1 : found;
}
