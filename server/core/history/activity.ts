/**
 * Adding up what was measured of a volume's writes.
 *
 * Stretches of time are added in order: `followedBy(a, b)`, where `b` begins at or after the end of `a`. The sum does
 * not depend on how they are put in brackets, so 10 s make 5 min, and those an hour, with nothing lost and nothing
 * counted twice. Quiet at the end of one and at the beginning of the next is one gap only if nothing lies between
 * them: what was not measured may hide a write.
 */
import type { Activity } from "../contracts/activity";
import { GAP_BUCKETS_MS } from "../planning/quiet-window";

/** Ends and beginnings that are as near as this are the same instant. */
const ADJACENT_MS = 1;

/** Nothing measured yet, from this instant on. */
export function nothingSince(atMs: number): Activity {
  return {
    fromMs: atMs,
    toMs: atMs,
    measuredMs: 0,
    writes: 0,
    writeBytes: 0,
    frozenWriteBytes: 0,
    preservedBytes: 0,
    skippedFreeBytes: 0,
    quietHeadMs: 0,
    quietTailMs: 0,
    quietLongestMs: 0,
    quietLongestFromMs: atMs,
    gaps: GAP_BUCKETS_MS.map(() => 0),
  };
}

/** `a`, then `b`. */
export function followedBy(a: Activity, b: Activity): Activity {
  if (a.measuredMs === 0) return b;
  if (b.measuredMs === 0) return a;
  const adjacent = Math.abs(b.fromMs - a.toMs) <= ADJACENT_MS;
  const joined = adjacent ? a.quietTailMs + b.quietHeadMs : 0;
  const longest = [
    { ms: a.quietLongestMs, from: a.quietLongestFromMs },
    { ms: b.quietLongestMs, from: b.quietLongestFromMs },
    { ms: joined, from: a.toMs - a.quietTailMs },
  ].reduce((most, one) => (one.ms > most.ms ? one : most));
  return {
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    measuredMs: a.measuredMs + b.measuredMs,
    writes: a.writes + b.writes,
    writeBytes: a.writeBytes + b.writeBytes,
    frozenWriteBytes: a.frozenWriteBytes + b.frozenWriteBytes,
    preservedBytes: a.preservedBytes + b.preservedBytes,
    skippedFreeBytes: a.skippedFreeBytes + b.skippedFreeBytes,
    quietHeadMs: adjacent && isQuiet(a) ? a.quietHeadMs + b.quietHeadMs : a.quietHeadMs,
    quietTailMs: adjacent && isQuiet(b) ? a.quietTailMs + b.quietTailMs : b.quietTailMs,
    quietLongestMs: longest.ms,
    quietLongestFromMs: longest.from,
    gaps: a.gaps.map((n, i) => n + (b.gaps[i] ?? 0)),
  };
}

/** No write from its beginning to its end. */
export function isQuiet(a: Activity): boolean {
  return a.quietHeadMs > 0 && a.quietHeadMs >= a.toMs - a.fromMs - ADJACENT_MS;
}

/** Bytes a second while it was measured; null where nothing was. */
export function writeRate({ writeBytes, measuredMs }: { writeBytes: number; measuredMs: number }): number | null {
  return measuredMs > 0 ? (writeBytes / measuredMs) * 1000 : null;
}

/** The bucket of `GAP_BUCKETS_MS` that a gap of this length counts in. */
export function gapBucket(lengthMs: number): number {
  const found = GAP_BUCKETS_MS.findIndex((upTo) => lengthMs <= upTo);
  return found === -1 ? GAP_BUCKETS_MS.length - 1 : found;
}
