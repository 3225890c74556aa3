/** Windows without a write elsewhere than to ignored paths, as the worker claims them, held against the writes that were made. */

/** Milliseconds since 1970, as all times here. */
export interface Claim {
  volume: string;
  from: number;
  to: number;
  /** How late a report may have been taken. */
  lateMs: number;
}

export const ways = ["buffered", "unsynced", "direct", "mapped", "asynchronous"] as const;
export type Way = (typeof ways)[number];

/** Elsewhere than to the ignored paths. */
export interface ForeignWrite {
  volume: string;
  way: Way;
  begun: number;
  /** It is on the device; one that is not synced, in its file. */
  ended: number;
}

/** Times are told in whole milliseconds. */
const ROUNDING_MS = 2;
/** As if a window that begins so soon after a write had nearly held it. */
const NEAR_MS = 1000;

/**
 * Writes that were begun and ended while there was none. A report says what was so when it was made, and is taken as of when it
 * comes, so a window ends up to `lateMs` before it is said to.
 */
export function wrongClaims(claims: readonly Claim[], writes: readonly ForeignWrite[]): [Claim, ForeignWrite][] {
  return claims.flatMap((claim) =>
    writes
      .filter((write) => write.volume === claim.volume)
      .filter(({ begun, ended }) => begun >= claim.from + ROUNDING_MS && ended <= claim.to - claim.lateMs)
      .map((write): [Claim, ForeignWrite] => [claim, write]),
  );
}

/** How many claims come soon after a write of each way: they are what this can find wrong ones among. */
export function nearClaims(claims: readonly Claim[], writes: readonly ForeignWrite[]): Record<Way, number> {
  const near = (claim: Claim, { volume, ended }: ForeignWrite) =>
    volume === claim.volume && ended > claim.from - NEAR_MS && ended <= claim.from + ROUNDING_MS;
  const count = (way: Way) => claims.filter((claim) => writes.some((w) => w.way === way && near(claim, w))).length;
  return Object.fromEntries(ways.map((way) => [way, count(way)])) as Record<Way, number>;
}
