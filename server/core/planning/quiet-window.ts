/**
 * Finds a window without a write over a group of volumes, from what the engines report.
 *
 * Each report says how long its volume had been quiet when it was made. All instants here are milliseconds of
 * one monotonic clock, the worker's: a volume's last write is the report's arrival less its quiet time. The
 * group is quiet since the latest of these, and known to be quiet until the *oldest* of the newest reports, for
 * nobody knows yet what the other volumes did after it. A gap between two reports that was already over when
 * the second came is shorter than the distance of reports and is counted by the volume's own write counter only.
 */

/** Upper ends of the histogram's buckets; no time-out is longer than the last. */
export const GAP_BUCKETS_MS = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000, 3_600_000] as const;

/** A gap of which so many were as long is one that comes again: a maximum is met only every other time. */
const RECURRENCES = 3;

export interface QuietReport {
  volume: string;
  /** Arrival, monotonic. */
  at: number;
  quietMs: number;
  /** Total writes so far. */
  writes: number;
}

interface VolumeQuiet {
  at: number;
  lastWriteAt: number;
  writes: number;
}

export interface QuietState {
  minimumMs: number;
  since: number;
  firstWrites: Readonly<Record<string, number>>;
  volumes: Readonly<Record<string, VolumeQuiet | null>>;
  /** Gap that is open now. */
  currentGapMs: number;
  longestGapMs: number;
  /** The longest gaps that ended, longest first, at most `RECURRENCES`. */
  longestEnded: readonly number[];
  /** Ended gaps by length, one count for each of `GAP_BUCKETS_MS`. */
  histogram: readonly number[];
  /** The window, once one of at least the minimum was seen. */
  found: { from: number; to: number } | null;
}

/** Starts to watch a group at `since`: a gap counts from then at the earliest. */
export function watchQuiet(volumes: readonly string[], minimumMs: number, since: number): QuietState {
  return {
    minimumMs,
    since,
    firstWrites: {},
    volumes: Object.fromEntries(volumes.map((v) => [v, null])),
    currentGapMs: 0,
    longestGapMs: 0,
    longestEnded: [],
    histogram: GAP_BUCKETS_MS.map(() => 0),
    found: null,
  };
}

/** The state after one more report. A volume that is not of the group changes nothing. */
export function observeQuiet(state: QuietState, report: QuietReport): QuietState {
  if (!(report.volume in state.volumes)) return state;
  const seen: VolumeQuiet = { at: report.at, lastWriteAt: report.at - report.quietMs, writes: report.writes };
  const volumes = { ...state.volumes, [report.volume]: seen };
  const firstWrites =
    report.volume in state.firstWrites ? state.firstWrites : { ...state.firstWrites, [report.volume]: report.writes };
  const all = Object.values(volumes);
  if (all.some((v) => v === null)) return { ...state, volumes, firstWrites };

  const known = all as VolumeQuiet[];
  const from = Math.max(...known.map((v) => v.lastWriteAt));
  const to = Math.min(...known.map((v) => v.at));
  const gap = Math.max(0, to - from);
  const previous = state.volumes[report.volume];
  const ended = previous != null && previous.writes !== report.writes && state.currentGapMs > 0;
  return {
    ...state,
    volumes,
    firstWrites,
    currentGapMs: gap,
    longestGapMs: Math.max(state.longestGapMs, gap),
    longestEnded: ended ? keepLongest(state.longestEnded, state.currentGapMs) : state.longestEnded,
    histogram: ended ? countGap(state.histogram, state.currentGapMs) : state.histogram,
    found: state.found ?? (gap >= state.minimumMs ? { from, to } : null),
  };
}

function keepLongest(gaps: readonly number[], gapMs: number): number[] {
  return [...gaps, gapMs].sort((a, b) => b - a).slice(0, RECURRENCES);
}

function countGap(histogram: readonly number[], gapMs: number): number[] {
  const found = GAP_BUCKETS_MS.findIndex((upTo) => gapMs <= upTo);
  const bucket = found === -1 ? GAP_BUCKETS_MS.length - 1 : found;
  return histogram.map((count, i) => (i === bucket ? count + 1 : count));
}

/** Ended gaps by length, for a failure's evidence. */
export function gapHistogram(state: QuietState): { upToMs: number; count: number }[] {
  return GAP_BUCKETS_MS.map((upToMs, i) => ({ upToMs, count: state.histogram[i] ?? 0 }));
}

/** Writes a second over the group since the first report. */
export function writesPerSecond(state: QuietState, now: number): number {
  const seconds = Math.max(0.001, (now - state.since) / 1000);
  const writes = Object.entries(state.volumes).reduce(
    (sum, [name, v]) => sum + (v === null ? 0 : v.writes - (state.firstWrites[name] ?? v.writes)),
    0,
  );
  return Math.round((writes / seconds) * 10) / 10;
}

/** The shortest of the longest gaps, the open one among them: a length that came several times. Null: no gap. */
export function recurringGap(state: QuietState): number | null {
  return (
    keepLongest(state.longestEnded, state.currentGapMs)
      .filter((gap) => gap > 0)
      .at(-1) ?? null
  );
}

/**
 * A quiet window that a volume will very probably offer again: four fifths of a gap that came several times,
 * waited for twice as long as in vain. Milliseconds; null where no gap of a millisecond was seen.
 */
export function reachableQuiet(
  recurringGapMs: number | null,
  timeoutMs: number,
): { minimumMs: number; timeoutMs: number } | null {
  const minimumMs = Math.floor((recurringGapMs ?? 0) * 0.8);
  const longest = GAP_BUCKETS_MS[GAP_BUCKETS_MS.length - 1] as number;
  return minimumMs < 1 ? null : { minimumMs, timeoutMs: Math.min(timeoutMs * 2, longest) };
}
