/**
 * How large a volume's cache is, by the rule that administrators know from the Advanced Open File Option:
 *
 * - on the snapped volume itself: initial = maximum = min(30 % of used, 90 % of free), at least 50 MB;
 * - on another volume: initial 0, maximum 30 % of the free space there, at least 50 MB.
 *
 * Our caches never lie on a volume of their group, so the second rule sizes them, with two differences:
 * the initial size is a first step that is reserved before the snapshot (another program cannot take that
 * room), and several volumes that share a location never add up to more than 90 % of its free space.
 * The first rule serves as the estimate of what a volume will need (`forecast.ts`).
 */
const MIB = 1024 * 1024;

/** "At least 50 MB" of the original. */
export const CACHE_FLOOR_BYTES = 50 * MIB;
/** Reserved ahead of the snapshot when the job does not say how much. */
export const FIRST_STEP_BYTES = 64 * MIB;

export interface CacheOptions {
  initialBytes: number | null;
  maxBytes: number | null;
}

export interface CacheSize {
  /** Reserved before the snapshot. */
  initialBytes: number;
  maxBytes: number;
}

/** The original's rule for a cache on the snapped volume: initial = maximum = this. */
export function snappedVolumeRule(volume: { usedBytes: number; freeBytes: number }): number {
  return Math.max(CACHE_FLOOR_BYTES, Math.floor(Math.min(volume.usedBytes * 0.3, volume.freeBytes * 0.9)));
}

/** The original's rule for a cache on another volume: the maximum. */
export function otherVolumeRule(freeBytes: number): number {
  return Math.max(CACHE_FLOOR_BYTES, Math.floor(freeBytes * 0.3));
}

/** The room that must be there before a volume's cache is put at a location. */
export function requiredBytes(options: CacheOptions): number {
  return options.maxBytes ?? Math.max(CACHE_FLOOR_BYTES, options.initialBytes ?? 0);
}

/**
 * The cache of one volume at a location with `freeBytes` free that it shares with `sharers` caches of its
 * group (itself included). `volumeBytes`: a cache never needs more than its volume is large.
 */
export function sizeCache(
  options: CacheOptions,
  place: { freeBytes: number; sharers: number; volumeBytes: number },
): CacheSize {
  const share = Math.floor((place.freeBytes * 0.9) / Math.max(1, place.sharers));
  const byRule = Math.max(CACHE_FLOOR_BYTES, Math.min(otherVolumeRule(place.freeBytes), share));
  const wanted = options.maxBytes ?? Math.max(byRule, options.initialBytes ?? 0);
  const maxBytes = Math.min(wanted, Math.max(place.volumeBytes, CACHE_FLOOR_BYTES));
  return { initialBytes: Math.min(options.initialBytes ?? FIRST_STEP_BYTES, maxBytes), maxBytes };
}
