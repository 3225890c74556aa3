/**
 * How much is written in a stretch of time of some length, by experience: of all stretches of that length that were
 * measured, what 19 of 20 did not exceed. Bursts are in it: the need of an hour is not 60 times that of a minute.
 */
import type { Rollup } from "../history/rollup";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Lengths that are looked at: up to a minute in rows of 10 s, else in rows of 5 min. */
const LENGTHS_MS = {
  fine: [10 * SECOND, MINUTE],
  coarse: [5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR, 24 * HOUR],
} as const;

const NOT_EXCEEDED_BY = 0.95;
/** A stretch with a larger hole is left out; of the others the whole is inferred from what was measured. */
const MEASURED_SHARE = 0.8;

export interface WriteWindow {
  lengthMs: number;
  bytes: number;
}

export interface MeasuredWrites {
  measuredMs: number;
  /** By length; never less for a longer one. Empty: nothing was measured for long enough. */
  windows: WriteWindow[];
  /** Bytes of cache for each byte written while a snapshot was open, without free space and with it; null: never seen. */
  preservedShare: number | null;
  changedShare: number | null;
}

/** Written in fewer bytes, a share says nothing. */
const ENOUGH_FROZEN_BYTES = 4 * 1024 * 1024;

/**
 * `fine`: rows of 10 s, `coarse`: of 5 min, each in the order of time. `hours`: only stretches that begin in one of
 * these hours of the week in UTC; where none of some length did, that length is left out. Empty: all.
 */
export function measuredWrites(
  fine: readonly Rollup[],
  coarse: readonly Rollup[],
  hours: readonly number[] = [],
): MeasuredWrites {
  const wanted = (atMs: number) => hours.length === 0 || hours.includes(hourOfWeekUtc(atMs));
  const windows = [
    ...LENGTHS_MS.fine.flatMap((lengthMs) => windowOf(fine, 10 * SECOND, lengthMs, wanted)),
    ...LENGTHS_MS.coarse.flatMap((lengthMs) => windowOf(coarse, 5 * MINUTE, lengthMs, wanted)),
  ];
  let most = 0;
  const sum = (of: (row: Rollup) => number) => coarse.reduce((total, row) => total + of(row), 0);
  const frozen = sum(({ activity }) => activity.frozenWriteBytes);
  const preserved = sum(({ activity }) => activity.preservedBytes);
  const skipped = sum(({ activity }) => activity.skippedFreeBytes);
  const known = frozen >= ENOUGH_FROZEN_BYTES;
  return {
    measuredMs: sum(({ activity }) => activity.measuredMs),
    windows: windows.map(({ lengthMs, bytes }) => {
      most = Math.max(most, bytes);
      return { lengthMs, bytes: most };
    }),
    preservedShare: known ? preserved / frozen : null,
    changedShare: known ? (preserved + skipped) / frozen : null,
  };
}

/** 0: Monday from 0:00 to 1:00. The first day of 1970 was a Thursday. */
export function hourOfWeekUtc(atMs: number): number {
  return (Math.floor(atMs / HOUR) + 3 * 24) % (7 * 24);
}

function windowOf(
  rows: readonly Rollup[],
  rowMs: number,
  lengthMs: number,
  wanted: (atMs: number) => boolean,
): WriteWindow[] {
  const width = lengthMs / rowMs;
  const totals: number[] = [];
  let first = 0;
  let bytes = 0;
  let measuredMs = 0;
  for (const row of rows) {
    bytes += row.activity.writeBytes;
    measuredMs += row.activity.measuredMs;
    const begin = row.atMs - (width - 1) * rowMs;
    for (let oldest = rows[first]; oldest !== undefined && oldest.atMs < begin; oldest = rows[first]) {
      bytes -= oldest.activity.writeBytes;
      measuredMs -= oldest.activity.measuredMs;
      first += 1;
    }
    // Summaries are not cut at the rows' ends: one of 10 s may be a little long or short.
    const whole = begin >= (rows[0]?.atMs ?? 0) && measuredMs >= MEASURED_SHARE * lengthMs;
    if (whole && wanted(begin)) totals.push(bytes * Math.max(1, lengthMs / measuredMs));
  }
  totals.sort((a, b) => a - b);
  const found = totals[Math.ceil(NOT_EXCEEDED_BY * totals.length) - 1];
  return found === undefined ? [] : [{ lengthMs, bytes: Math.ceil(found) }];
}

/** What is written in `lengthMs`: in between by a straight line, beyond the longest at its rate. */
export function writtenWithin(windows: readonly WriteWindow[], lengthMs: number): number {
  const points = [{ lengthMs: 0, bytes: 0 }, ...windows];
  const after = points.findIndex((one) => one.lengthMs >= lengthMs);
  const last = points[points.length - 1] as WriteWindow;
  if (after === -1) return last.lengthMs === 0 ? 0 : Math.ceil((last.bytes / last.lengthMs) * lengthMs);
  const to = points[after] as WriteWindow;
  const from = points[Math.max(0, after - 1)] as WriteWindow;
  if (to.lengthMs === from.lengthMs) return to.bytes;
  return Math.ceil(from.bytes + ((to.bytes - from.bytes) * (lengthMs - from.lengthMs)) / (to.lengthMs - from.lengthMs));
}

/** After how long `bytes` are written; null: never, as far as was measured. */
export function timeToWrite(windows: readonly WriteWindow[], bytes: number): number | null {
  const points = [{ lengthMs: 0, bytes: 0 }, ...windows];
  const after = points.findIndex((one) => one.bytes >= bytes);
  const last = points[points.length - 1] as WriteWindow;
  if (after === -1) return last.bytes === 0 ? null : (last.lengthMs * bytes) / last.bytes;
  const to = points[after] as WriteWindow;
  const from = points[Math.max(0, after - 1)] as WriteWindow;
  if (to.bytes === from.bytes) return to.lengthMs;
  return from.lengthMs + ((to.lengthMs - from.lengthMs) * (bytes - from.bytes)) / (to.bytes - from.bytes);
}
