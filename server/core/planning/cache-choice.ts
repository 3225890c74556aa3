/**
 * The cache broker's choice: where the caches of a group go. A function of values; the worker measures the
 * locations before and reserves the space after.
 *
 * The volume with the largest need chooses first, each takes the location with the most room left. A group is
 * all or nothing: if one volume finds no place, none is given, and every location says why it was turned down.
 *
 * The other fit locations are where a cache spills over to when its own is full, the one with the most room first;
 * not when the job says how large a cache may grow: then that is the most, wherever.
 */
import { formatBytes } from "../text/bytes";
import { CACHE_FLOOR_BYTES, type CacheOptions, type CacheSize, requiredBytes, sizeCache } from "./cache-sizing";

/** An engine can keep the pre-images of a volume in four places. */
const MOST_SPILL = 3;

/** A location as measured at the moment of the choice. */
export interface CandidateLocation {
  path: string;
  exists: boolean;
  writable: boolean;
  /** In words, where it is not. */
  whyNotWritable?: string;
  freeBytes: number;
  /** Reserved there by caches that are open now; `freeBytes` is already without them. */
  reservedBytes: number;
  /** Name of the volume that the location lies on, when that volume is served by an engine. */
  engineVolume: string | null;
}

export interface VolumeNeed {
  name: string;
  sizeBytes: number;
}

export interface JudgedLocation {
  path: string;
  freeBytes: number;
  reservedBytes: number;
  /** What the group asked of this location. */
  neededBytes: number;
  turnedDown: string | null;
}

export interface Placement extends CacheSize {
  volume: string;
  location: string;
  /** Where it goes on when that is full, in this order. */
  spill: { location: string; maxBytes: number }[];
}

export type CacheChoice =
  | { ok: true; placements: Placement[]; locations: JudgedLocation[] }
  | { ok: false; reason: string; locations: JudgedLocation[] };

/** Why a location is of no use to the group whatever its room, or null. */
export function unfitReason(location: CandidateLocation, group: readonly string[]): string | null {
  if (!location.exists) return "the directory does not exist";
  if (!location.writable) {
    const why = location.whyNotWritable === undefined ? "" : `: ${location.whyNotWritable}`;
    return `the directory is not writable${why}`;
  }
  if (location.engineVolume !== null && group.includes(location.engineVolume)) {
    return `it lies on "${location.engineVolume}", a volume of the same group`;
  }
  if (location.engineVolume !== null) return `it lies on "${location.engineVolume}", which an engine serves`;
  return null;
}

/** Puts each volume's cache somewhere, or says why that cannot be done. */
export function chooseCaches(
  volumes: readonly VolumeNeed[],
  locations: readonly CandidateLocation[],
  options: CacheOptions,
): CacheChoice {
  const group = volumes.map((v) => v.name);
  const required = requiredBytes(options);
  const neededBytes = required * volumes.length;
  const unfit = new Map(locations.map((l) => [l.path, unfitReason(l, group)]));
  const fit = locations.filter((l) => unfit.get(l.path) === null);
  const room = new Map(fit.map((l) => [l.path, l.freeBytes]));
  const chosen = new Map<string, CandidateLocation>();

  for (const volume of [...volumes].sort((a, b) => b.sizeBytes - a.sizeBytes)) {
    const best = fit.reduce<CandidateLocation | null>(
      (a, b) => (a === null || (room.get(b.path) ?? 0) > (room.get(a.path) ?? 0) ? b : a),
      null,
    );
    if (best === null || (room.get(best.path) ?? 0) < required) break;
    room.set(best.path, (room.get(best.path) ?? 0) - required);
    chosen.set(volume.name, best);
  }

  const complete = chosen.size === volumes.length;
  const judged = locations.map((l): JudgedLocation => {
    const noRoom = `it has ${formatBytes(l.freeBytes)} free, the group needs ${formatBytes(neededBytes)}`;
    const reason = unfit.get(l.path) ?? (complete || l.freeBytes >= neededBytes ? null : noRoom);
    return {
      path: l.path,
      freeBytes: l.freeBytes,
      reservedBytes: l.reservedBytes,
      neededBytes,
      turnedDown: reason,
    };
  });
  if (!complete) {
    const reason = locations.length === 0 ? "no cache location is allowed" : "no cache location has room for the group";
    return { ok: false, reason, locations: judged };
  }
  return { ok: true, locations: judged, placements: volumes.map((v) => place(v, chosen, fit, options)) };
}

function place(
  volume: VolumeNeed,
  chosen: Map<string, CandidateLocation>,
  fit: readonly CandidateLocation[],
  options: CacheOptions,
): Placement {
  const location = chosen.get(volume.name) as CandidateLocation;
  const others = options.maxBytes === null ? fit.filter((l) => l.path !== location.path) : [];
  const spill = others
    .filter((l) => l.freeBytes > CACHE_FLOOR_BYTES)
    .sort((a, b) => b.freeBytes - a.freeBytes)
    .slice(0, MOST_SPILL)
    .map((l) => {
      // Any volume of the group may come to spill over there.
      const there = { freeBytes: l.freeBytes, sharers: chosen.size, volumeBytes: volume.sizeBytes };
      return { location: l.path, maxBytes: sizeCache(options, there).maxBytes };
    });
  const sharers = [...chosen.values()].filter((l) => l.path === location.path).length;
  const size = sizeCache(options, { freeBytes: location.freeBytes, sharers, volumeBytes: volume.sizeBytes });
  return { volume: volume.name, location: location.path, spill, ...size };
}
