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

/** The last measurement at or before a time. */
export function pointAt(lane: Lane, at: number): LanePoint | null {
  let low = 0;
  let high = lane.points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lane.points[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return lane.points[low - 1] ?? null;
}

/** Bytes and writes a second around a time, over at least `spanMs`; null where nothing was measured. */
export function rateAt(lane: Lane, at: number, spanMs: number): { bytes: number; writes: number } | null {
  const end = pointAt(lane, at + spanMs / 2);
  const start = pointAt(lane, at - spanMs / 2) ?? lane.points[0];
  if (!end || !start || end.at <= start.at) return null;
  const seconds = (end.at - start.at) / 1000;
  return {
    bytes: Math.max(0, end.writeBytes - start.writeBytes) / seconds,
    writes: Math.max(0, end.writes - start.writes) / seconds,
  };
}

/**
 * The measurements of the lane's own cache. A cache only grows; the release is told a moment after it
 * happened, and measurements of nothing between the two are not the cache's.
 */
export function cachePoints(lane: Lane): LanePoint[] {
  const { frozenAt, released } = lane;
  if (frozenAt === null) return [];
  const points = lane.points.filter((point) => point.at >= frozenAt && (!released || point.at <= released.at));
  const first = points.findIndex((point) => point.cacheUsed > 0);
  return points.filter((point, index) => point.cacheUsed > 0 || index < first || first === -1);
}

/** Bytes in a lane's cache at a time: 0 before its instant and after its release. */
export function cacheAt(lane: Lane, at: number): number {
  if (lane.frozenAt === null || at < lane.frozenAt) return 0;
  if (lane.released && at > lane.released.at) return 0;
  return cachePoints(lane).findLast((point) => point.at <= at)?.cacheUsed ?? 0;
}

export function largestCache(lane: Lane): number {
  return cachePoints(lane).reduce((most, point) => Math.max(most, point.cacheUsed), 0);
}
