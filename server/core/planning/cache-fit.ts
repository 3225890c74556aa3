/** Whether what a job will need fits where its caches would be put, and if not, why: by the broker's own choice. */
import { formatBytes } from "../text/bytes";
import { formatDuration } from "../text/duration";
import { type CandidateLocation, chooseCaches, type JudgedLocation, type Placement } from "./cache-choice";
import { type Forecast, type ForecastOptions, type ForecastVolume, fullAfter } from "./forecast";

export interface Fit {
  fits: boolean;
  /** What the caches may grow to together. */
  roomBytes: number;
  /** Why it does not fit, a sentence each. */
  reasons: string[];
}

export interface CacheFit {
  allAtOnce: Fit;
  oneAtATime: Fit;
  /** As they would be placed all at once. */
  placements: Placement[];
  turnedDown: { path: string; reason: string }[];
}

export function cacheFit(
  volumes: readonly ForecastVolume[],
  locations: readonly CandidateLocation[],
  options: ForecastOptions,
  forecast: Forecast,
): CacheFit {
  const together = chooseCaches(volumes, locations, options);
  const alone = volumes.map((volume) => chooseCaches([volume], locations, options));
  const placements = together.ok ? together.placements : [];
  const apart = alone.flatMap((choice) => (choice.ok ? choice.placements : []));
  const need = (name: string) => forecast.volumes.find((one) => one.name === name);
  const short = (placed: readonly Placement[], of: "needBytes" | "aloneBytes") =>
    placed.flatMap((one) => {
      const volume = volumes.find(({ name }) => name === one.volume);
      const needed = need(one.volume)?.[of] ?? 0;
      return volume && roomOf(one) < needed ? [tooSmall(one, volume, options, needed)] : [];
    });
  const lost = alone.find((choice) => !choice.ok);
  const allAtOnce = together.ok ? short(placements, "needBytes") : [sentence(together.reason, together.locations)];
  const oneAtATime = lost && !lost.ok ? [sentence(lost.reason, lost.locations)] : short(apart, "aloneBytes");
  return {
    allAtOnce: {
      fits: volumes.length > 0 && allAtOnce.length === 0,
      roomBytes: placements.reduce((sum, one) => sum + roomOf(one), 0),
      reasons: allAtOnce,
    },
    oneAtATime: {
      fits: volumes.length > 0 && oneAtATime.length === 0,
      roomBytes: Math.max(0, ...apart.map(roomOf)),
      reasons: oneAtATime,
    },
    placements,
    turnedDown: together.locations.flatMap(({ path, turnedDown }) =>
      turnedDown === null ? [] : [{ path, reason: turnedDown }],
    ),
  };
}

/** In its own location, and where it goes on when that is full. */
function roomOf({ maxBytes, spill }: Placement): number {
  return maxBytes + spill.reduce((sum, one) => sum + one.maxBytes, 0);
}

function tooSmall(placed: Placement, volume: ForecastVolume, options: ForecastOptions, needed: number): string {
  const room = roomOf(placed);
  const limit = options.maxBytes === null ? `the room at ${placed.location}` : "this job’s maximum size";
  const after = fullAfter(volume, options, room);
  const when = after === null ? "" : `: it would be full after about ${formatDuration(after)}`;
  return `${placed.volume} is expected to need ${formatBytes(needed)}, and ${limit} allows ${formatBytes(room)}${when}.`;
}

function sentence(reason: string, locations: readonly JudgedLocation[]): string {
  const why = locations.flatMap(({ path, turnedDown }) => (turnedDown === null ? [] : [`${path}: ${turnedDown}`]));
  const begun = reason.charAt(0).toUpperCase() + reason.slice(1);
  return why.length === 0 ? `${begun}.` : `${begun} (${why.join("; ")}).`;
}
