/**
 * The cache that a job will need, both ways.
 *
 * Where a volume's writes were measured for long enough: what 19 of 20 stretches as long as the backup wrote
 * (`write-windows.ts`), times the share of it that took cache in past snapshots. A block that is overwritten again
 * costs nothing more and free space costs nothing, so the share is below 1; until it was measured it counts as 1.
 * Where nothing was measured: the original's rule for a cache on the snapped volume (`cache-sizing.ts`), which does
 * not know how long the backup takes.
 */
import type { ExpectedDuration } from "./backup-duration";
import { type CacheOptions, snappedVolumeRule } from "./cache-sizing";
import { type MeasuredWrites, timeToWrite, writtenWithin } from "./write-windows";

/** Less says too little about what a day brings. */
export const MEASURED_ENOUGH_MS = 3_600_000;

export interface ForecastVolume {
  name: string;
  sizeBytes: number;
  usedBytes: number;
  measured?: MeasuredWrites | null;
}

export interface ForecastOptions extends CacheOptions {
  /** Free space takes no cache; without a word it does not. */
  skipFreeBlocks?: boolean;
}

/** `maximum`: nothing was measured, and the job says itself how large the cache may be. */
export type ForecastBasis = "measured" | "maximum" | "rule";

export interface VolumeForecast {
  name: string;
  /** With all snapshots open together, and alone. */
  needBytes: number;
  aloneBytes: number;
  basis: ForecastBasis;
}

export interface Forecast {
  volumes: VolumeForecast[];
  /** All caches exist together. */
  needAllAtOnceBytes: number;
  /** Only the largest cache exists at any time. */
  needOneAtATimeBytes: number;
}

/** What each volume's cache will need, and both modes' totals. Without a duration nothing measured is used. */
export function forecastCache(
  volumes: readonly ForecastVolume[],
  options: ForecastOptions,
  expected: ExpectedDuration | null = null,
): Forecast {
  const needs = volumes.map((volume) => forecastOf(volume, options, expected));
  return {
    volumes: needs,
    needAllAtOnceBytes: needs.reduce((sum, n) => sum + n.needBytes, 0),
    needOneAtATimeBytes: needs.reduce((most, n) => Math.max(most, n.aloneBytes), 0),
  };
}

/** After how long this volume's cache of `bytes` would be full; null: not foreseeable, or never. */
export function fullAfter(volume: ForecastVolume, options: ForecastOptions, bytes: number): number | null {
  if (!isMeasured(volume)) return null;
  const share = cacheShare(volume.measured, options);
  return share === 0 ? null : timeToWrite(volume.measured.windows, bytes / share);
}

/** Whether the forecast of this volume is by measurements. */
export function isMeasured(volume: ForecastVolume): volume is ForecastVolume & { measured: MeasuredWrites } {
  const { measured } = volume;
  return measured != null && measured.measuredMs >= MEASURED_ENOUGH_MS && measured.windows.length > 0;
}

/** Bytes of cache for each byte written. A block is 4 KiB, and what writes less still costs a whole one. */
export function cacheShare(measured: MeasuredWrites, { skipFreeBlocks = true }: ForecastOptions): number {
  return (skipFreeBlocks ? measured.preservedShare : measured.changedShare) ?? 1;
}

function forecastOf(
  volume: ForecastVolume,
  options: ForecastOptions,
  expected: ExpectedDuration | null,
): VolumeForecast {
  const { name, sizeBytes } = volume;
  if (expected !== null && isMeasured(volume)) {
    const { measured } = volume;
    const share = cacheShare(measured, options);
    const within = (ms: number) => Math.min(Math.ceil(share * writtenWithin(measured.windows, ms)), sizeBytes);
    const aloneMs = expected.oneAtATimeMs[name] ?? expected.allAtOnceMs;
    return { name, needBytes: within(expected.allAtOnceMs), aloneBytes: within(aloneMs), basis: "measured" };
  }
  const need = byRule(volume, options);
  return { name, needBytes: need, aloneBytes: need, basis: options.maxBytes === null ? "rule" : "maximum" };
}

function byRule(volume: ForecastVolume, options: CacheOptions): number {
  const rule = snappedVolumeRule({
    usedBytes: volume.usedBytes,
    freeBytes: Math.max(0, volume.sizeBytes - volume.usedBytes),
  });
  return Math.min(options.maxBytes ?? Math.max(rule, options.initialBytes ?? 0), volume.sizeBytes);
}
