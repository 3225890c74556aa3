/**
 * The hours of the week in which volumes rest longest together. How long they rest at the same time is not known from
 * hours; that it is no longer than the shortest of their rests is.
 */
import type { WeekHour } from "./week";

export interface QuietHour {
  hour: number;
  /** The longest time without a write that half of the weeks had in this hour, of the volume that rests least. */
  quietMs: number;
  /** All volumes together, mean. */
  bytesPerSecond: number;
  /** From how many weeks, at the least. */
  weeks: number;
}

/** The best first, at most `most`; only hours that were measured of every volume and had a rest. */
export function quietHours(weeks: readonly (readonly WeekHour[])[], most: number): QuietHour[] {
  if (weeks.length === 0) return [];
  const hours = (weeks[0] ?? []).flatMap(({ hour }): QuietHour[] => {
    const all = weeks.map((week) => week[hour]);
    const rests = all.map((one) => one?.typicalQuietMs ?? 0);
    const quietMs = Math.min(...rests);
    if (quietMs <= 0) return [];
    return [
      {
        hour,
        quietMs,
        bytesPerSecond: all.reduce((sum, one) => sum + (one?.bytesPerSecond ?? 0), 0),
        weeks: Math.min(...all.map((one) => one?.weeks ?? 0)),
      },
    ];
  });
  return hours
    .sort((a, b) => b.quietMs - a.quietMs || a.bytesPerSecond - b.bytesPerSecond || a.hour - b.hour)
    .slice(0, most);
}
