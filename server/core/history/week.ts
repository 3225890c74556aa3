/**
 * A volume's week, from its hours: how much is written in each hour of the week, and how long it rests there. Hours
 * are those of a place; where zones are shifted by less than an hour, an hour counts where it begins.
 */

import { HOURS_OF_WEEK, hourOfWeek } from "./hour-of-week";
import type { Rollup } from "./rollup";

/** An hour of which less was measured says nothing about how long it rests. */
const ENOUGH_OF_HOUR_MS = 30 * 60_000;

export interface WeekHour {
  /** See `hourOfWeek`. */
  hour: number;
  /** How much of this hour was measured, all weeks together. */
  measuredMs: number;
  /** Mean over what was measured; null where nothing was. */
  bytesPerSecond: number | null;
  /** Most that was written in a second of one week's hour, as its mean. */
  peakBytesPerSecond: number | null;
  /** Of each week the longest time without a write in this hour, and of these the one in the middle. */
  typicalQuietMs: number | null;
  /** How many weeks that is from. */
  weeks: number;
}

/** All 168 hours. `hours`: rows of an hour. */
export function weekOf(hours: readonly Rollup[], zone: string): WeekHour[] {
  const byHour = Array.from({ length: HOURS_OF_WEEK }, (): Rollup[] => []);
  for (const row of hours) byHour[hourOfWeek(row.atMs, zone)]?.push(row);
  return byHour.map((rows, hour) => {
    const measuredMs = rows.reduce((sum, { activity }) => sum + activity.measuredMs, 0);
    const bytes = rows.reduce((sum, { activity }) => sum + activity.writeBytes, 0);
    const enough = rows.filter(({ activity }) => activity.measuredMs >= ENOUGH_OF_HOUR_MS);
    const peaks = enough.map(({ activity }) => (activity.writeBytes / activity.measuredMs) * 1000);
    return {
      hour,
      measuredMs,
      bytesPerSecond: measuredMs > 0 ? (bytes / measuredMs) * 1000 : null,
      peakBytesPerSecond: peaks.length > 0 ? Math.max(...peaks) : null,
      typicalQuietMs: middle(enough.map(({ activity }) => activity.quietLongestMs)),
      weeks: enough.length,
    };
  });
}

/** The lower of two in the middle: a rest that came in at least half of the weeks. */
function middle(values: readonly number[]): number | null {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;
}
