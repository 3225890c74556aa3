/**
 * What the lanes draw: each volume a lane in time. Times are milliseconds since the epoch by the host's
 * clock, sizes bytes. A live run, a finished run and a forecast are all told in these words.
 */

/** One measurement. `writes` and `writeBytes` are counters; only their differences are drawn. */
export type LanePoint = {
  at: number;
  writes: number;
  writeBytes: number;
  cacheUsed: number;
  /** Time of the last write until then. */
  lastWriteAt: number | null;
  /** Largest rate of writes, bytes a second, since the point before: higher than the mean where points were merged. */
  peak: number;
};

export type Lane = {
  name: string;
  detail: string;
  /** Oldest first. */
  points: readonly LanePoint[];
  /** The window without a write that was waited for. */
  quiet: { from: number; to: number } | null;
  frozenAt: number | null;
  /** End of the snapshot, with a word on how: "released", "overflowed". */
  released: { at: number; word: string; lost: boolean } | null;
  /** Most that the cache may grow to; 0 where there is none. */
  cacheMax: number;
  /** Said in the lane's cache room while it has no snapshot yet. */
  waiting: string | null;
};

/** One instant that cuts the lanes from `first` to `last`. `short` is its label where there is little room. */
export type Cut = { at: number; first: number; last: number; label: string; short: string };

export type LanesData = {
  lanes: readonly Lane[];
  cuts: readonly Cut[];
  from: number;
  to: number;
  /** Where the present is, in a live run. */
  now: number | null;
  /** When the run is expected to end. */
  expectedEnd: number | null;
};

/** Index of the first point after a time. */
function indexAfter(points: readonly LanePoint[], at: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The points between two times, with the one before and the one after. */
export function pointsBetween(points: readonly LanePoint[], from: number, to: number): readonly LanePoint[] {
  const first = Math.max(0, indexAfter(points, from) - 1);
  const end = indexAfter(points, to) + 1;
  return first === 0 && end >= points.length ? points : points.slice(first, end);
}

/** What was written up to a measurement since the one before it, a second; null for the first, which has none before. */
export type Rate = { bytes: number; writes: number; peak: number };

export function rateOf(before: LanePoint | undefined, point: LanePoint): Rate | null {
  if (!before || point.at <= before.at) return null;
  const seconds = (point.at - before.at) / 1000;
  const bytes = Math.max(0, point.writeBytes - before.writeBytes) / seconds;
  return { bytes, writes: Math.max(0, point.writes - before.writes) / seconds, peak: Math.max(bytes, point.peak) };
}

/** Longer after the last measurement nothing is known of a lane. */
const KNOWN_FOR_MS = 10_000;

/** The rate of the last measurement at or before a time; null where nothing was measured. */
export function rateAt(lane: Lane, at: number): Rate | null {
  const index = indexAfter(lane.points, at) - 1;
  const point = lane.points[index];
  const before = lane.points[index - 1];
  if (!point || (index === lane.points.length - 1 && at - point.at > KNOWN_FOR_MS)) return null;
  return rateOf(before, point);
}

/**
 * The measurements of the lane's own cache. A cache only grows; the release is told a moment after it
 * happened, and measurements of nothing between the two are not the cache's.
 */
export function cachePoints(lane: Lane): readonly LanePoint[] {
  const { frozenAt, released, points } = lane;
  if (frozenAt === null) return [];
  const first = indexAfter(points, frozenAt - 1);
  const end = released ? indexAfter(points, released.at) : points.length;
  let last = end;
  while (last > first && points[last - 1]?.cacheUsed === 0) last -= 1;
  return points.slice(first, last === first ? end : last);
}

/** Bytes in a lane's cache at a time: 0 before its instant and after its release. */
export function cacheAt(lane: Lane, at: number): number {
  const { frozenAt, released, points } = lane;
  if (frozenAt === null || at < frozenAt || (released && at > released.at)) return 0;
  for (let index = indexAfter(points, at) - 1; index >= 0; index--) {
    const point = points[index];
    if (!point || point.at < frozenAt) return 0;
    if (point.cacheUsed > 0) return point.cacheUsed;
  }
  return 0;
}

/** Times closer than this are one measurement of several volumes. */
const TOGETHER_MS = 40;

/** The next time, after (`1`) or before (`-1`) another, at which something was measured; null where there is none. */
export function measuredNext(data: LanesData, at: number, direction: 1 | -1): number | null {
  const limit = at + direction * TOGETHER_MS;
  const times = data.lanes.flatMap(({ points }) => {
    const index = indexAfter(points, limit) - (direction === 1 ? 0 : 1);
    return points[index]?.at ?? [];
  });
  if (times.length === 0) return null;
  // Of those that are one measurement, the time of the last: by then all volumes have been measured.
  const first = direction === 1 ? Math.min(...times) : Math.max(...times) - TOGETHER_MS;
  return Math.max(...times.filter((time) => time <= first + TOGETHER_MS));
}

/** The time nearest to another at which something was measured; the time itself where there is none. */
export function measuredNear(data: LanesData, at: number): number {
  const before = measuredNext(data, at + TOGETHER_MS + 1, -1);
  const after = measuredNext(data, at - TOGETHER_MS - 1, 1);
  if (before === null || after === null) return before ?? after ?? at;
  return at - before <= after - at ? before : after;
}

export function largestCache(lane: Lane): number {
  return cachePoints(lane).reduce((most, point) => Math.max(most, point.cacheUsed), 0);
}
