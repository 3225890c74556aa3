/**
 * From an engine's reports to activity. Counters are totals since the volume was attached and outlive a killed
 * engine; they begin anew when it is attached again. A stretch is counted only where both of its ends are known to
 * belong together:
 *
 * - A counter that is smaller than before began anew: what it has is what was written since.
 * - Reports that are far apart, or a clock that was set between them: nobody knows when the writes between were made.
 *   Nothing is counted, and a new stretch begins.
 *
 * `longestGapMs` is the longest gap since the report before, whole even where it began earlier, the running one
 * included. Where it cannot be told whether a gap that ended is the one that was running at the report before or a
 * later one, what is certain is taken: never more quiet than there was.
 */
import type { Activity } from "../contracts/activity";
import { followedBy, gapBucket, nothingSince } from "./activity";

/** Slow reports come every 5 s; what is farther apart is not one stretch. */
const FARTHEST_MS = 30_000;
/** The wall clock and the steady one may drift apart by so much between two reports. */
const CLOCK_SET_MS = 2000;
const BLOCK_BYTES = 4096;

export interface Reading {
  /** When the report came, by a clock that nobody sets. */
  steadyMs: number;
  /** The same by the host's clock. */
  wallMs: number;
  writes: number;
  writeBytes: number;
  discards: number;
  quietMs: number;
  longestGapMs: number;
  snapshots: readonly { id: string; preservedBlocks: number; skippedFreeBlocks: number }[];
}

export interface Meter {
  last: Reading | null;
  /** Since it was last taken. */
  sum: Activity | null;
}

export const freshMeter: Meter = { last: null, sum: null };

/** The meter after one more report. */
export function observe(meter: Meter, reading: Reading): Meter {
  const { last, sum } = meter;
  if (last === null || !belongTogether(last, reading)) {
    return { last: reading, sum };
  }
  const more = between(last, reading);
  return { last: reading, sum: sum === null ? more : followedBy(sum, more) };
}

/** What was measured since it was last taken (null: nothing), and the meter that goes on from there. */
export function take({ last, sum }: Meter): { taken: Activity | null; meter: Meter } {
  return { taken: sum, meter: { last, sum: null } };
}

function belongTogether(last: Reading, reading: Reading): boolean {
  const steady = reading.steadyMs - last.steadyMs;
  const wall = reading.wallMs - last.wallMs;
  return steady > 0 && steady <= FARTHEST_MS && wall > 0 && Math.abs(wall - steady) <= CLOCK_SET_MS;
}

function between(last: Reading, reading: Reading): Activity {
  const lengthMs = reading.wallMs - last.wallMs;
  const writeBytes = grown(last.writeBytes, reading.writeBytes);
  const base = {
    ...nothingSince(last.wallMs),
    toMs: reading.wallMs,
    measuredMs: lengthMs,
    writes: grown(last.writes, reading.writes),
    writeBytes,
    ...frozen(last, reading, writeBytes),
  };
  const untouched = reading.writes === last.writes && reading.discards === last.discards;
  if (untouched && reading.quietMs >= last.quietMs) {
    return { ...base, quietHeadMs: lengthMs, quietTailMs: lengthMs, quietLongestMs: lengthMs };
  }
  const tail = Math.min(reading.quietMs, lengthMs);
  const ended = reading.longestGapMs > reading.quietMs ? reading.longestGapMs : 0;
  const within = Math.min(Math.max(0, ended - last.quietMs), lengthMs - tail);
  // Longer than what is left of the stretch: it was running at the report before.
  const head = ended > lengthMs - tail ? within : 0;
  const gaps = ended === 0 ? base.gaps : base.gaps.map((n, i) => (i === gapBucket(ended) ? n + 1 : n));
  return {
    ...base,
    quietHeadMs: head,
    quietTailMs: tail,
    quietLongestMs: Math.max(tail, within),
    quietLongestFromMs: tail >= within ? reading.wallMs - tail : last.wallMs,
    gaps,
  };
}

/** By how much a counter grew; one that is smaller than before began anew. */
function grown(before: number, after: number): number {
  return after >= before ? after - before : after;
}

/** What a snapshot that was open the whole time cost. With several open, blocks cannot be told apart. */
function frozen(last: Reading, reading: Reading, writeBytes: number) {
  const [before] = last.snapshots;
  const [after] = reading.snapshots;
  const one = last.snapshots.length === 1 && reading.snapshots.length === 1;
  if (!one || before?.id !== after?.id || !before || !after) return {};
  return {
    frozenWriteBytes: writeBytes,
    preservedBytes: Math.max(0, after.preservedBlocks - before.preservedBlocks) * BLOCK_BYTES,
    skippedFreeBytes: Math.max(0, after.skippedFreeBlocks - before.skippedFreeBlocks) * BLOCK_BYTES,
  };
}
