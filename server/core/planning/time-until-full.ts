/** How fast a cache location fills, and when it will be full, from what was read of it lately. */

export interface CacheReading {
  atMs: number;
  usedBytes: number;
}

export interface Filling {
  bytesPerSecond: number;
  /** At this rate; 0: it is full. */
  fullInMs: number;
}

/** Readings of the last minute count: a snapshot fills fastest in its first seconds. */
const LOOKED_AT_MS = 60_000;
/** From closer readings no rate is made. */
const LEAST_MS = 5000;

/** The readings with one more, without those that are too old. A cache that shrank was given back: it begins anew. */
export function withReading(readings: readonly CacheReading[], one: CacheReading): CacheReading[] {
  const last = readings[readings.length - 1];
  if (last !== undefined && one.usedBytes < last.usedBytes) return [one];
  if (last !== undefined && one.atMs <= last.atMs) return [...readings];
  return [...readings.filter(({ atMs }) => one.atMs - atMs <= LOOKED_AT_MS), one];
}

/** Null: it does not fill, or was not looked at for long enough. `roomBytes`: what it may still take. */
export function filling(readings: readonly CacheReading[], roomBytes: number): Filling | null {
  const [first, last] = [readings[0], readings[readings.length - 1]];
  if (!first || !last || last.atMs - first.atMs < LEAST_MS || last.usedBytes <= first.usedBytes) return null;
  const bytesPerSecond = ((last.usedBytes - first.usedBytes) / (last.atMs - first.atMs)) * 1000;
  return { bytesPerSecond, fullInMs: (Math.max(0, roomBytes) / bytesPerSecond) * 1000 };
}
