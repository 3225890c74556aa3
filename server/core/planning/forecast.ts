/**
 * A first forecast of the cache that a job needs, before there is history to learn from: for each volume the
 * job's own maximum, else the original's rule for a cache on the snapped volume (`cache-sizing.ts`).
 */
import { type CacheOptions, snappedVolumeRule } from "./cache-sizing";

export interface ForecastVolume {
  name: string;
  sizeBytes: number;
  usedBytes: number;
}

export interface Forecast {
  volumes: { name: string; needBytes: number }[];
  /** All caches exist together. */
  needAllAtOnceBytes: number;
  /** Only the largest cache exists at any time. */
  needOneAtATimeBytes: number;
}

/** What each volume's cache will need, and both modes' totals. */
export function forecastCache(volumes: readonly ForecastVolume[], options: CacheOptions): Forecast {
  const needs = volumes.map((v) => ({ name: v.name, needBytes: needOf(v, options) }));
  return {
    volumes: needs,
    needAllAtOnceBytes: needs.reduce((sum, n) => sum + n.needBytes, 0),
    needOneAtATimeBytes: needs.reduce((most, n) => Math.max(most, n.needBytes), 0),
  };
}

function needOf(volume: ForecastVolume, options: CacheOptions): number {
  const rule = snappedVolumeRule({
    usedBytes: volume.usedBytes,
    freeBytes: Math.max(0, volume.sizeBytes - volume.usedBytes),
  });
  return Math.min(options.maxBytes ?? Math.max(rule, options.initialBytes ?? 0), volume.sizeBytes);
}
