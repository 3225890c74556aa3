/**
 * The hours of the week in which volumes rest longest, or are written to least, together. How long they rest at the
 * same time is not known from hours; that it is no longer than the shortest of their rests is.
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

/** What makes an hour a good one. */
export type QuietBy = "rest" | "writes";

/** The best first, at most `most`; only hours that were measured of every volume and had a rest. */
export function quietHours(weeks: readonly (readonly WeekHour[])[], most: number, by: QuietBy = "rest"): QuietHour[] {
  const hours = (weeks[0] ?? []).flatMap(({ hour }) => quietHour(weeks, [hour]) ?? []);
  return hours.sort(better(by)).slice(0, most);
}

/** The best hour of the day (0 to 23) for all of these days (0: Monday); null where none was measured on all. */
export function quietestOfDays(
  weeks: readonly (readonly WeekHour[])[],
  days: readonly number[],
  by: QuietBy,
): QuietHour | null {
  const hours = Array.from({ length: 24 }, (_, hour) => {
    const found = quietHour(
      weeks,
      days.map((day) => day * 24 + hour),
    );
    return found && { ...found, hour };
  });
  return hours.filter((one) => one !== null).sort(better(by))[0] ?? null;
}

const better = (by: QuietBy) => (a: QuietHour, b: QuietHour) => {
  const [rest, writes] = [b.quietMs - a.quietMs, a.bytesPerSecond - b.bytesPerSecond];
  return (by === "rest" ? rest || writes : writes || rest) || a.hour - b.hour;
};

/** What these hours have in common, of all volumes. */
function quietHour(weeks: readonly (readonly WeekHour[])[], hours: readonly number[]): QuietHour | null {
  const each = hours.map((hour) => weeks.map((week) => week[hour]));
  const all = each.flat();
  const quietMs = Math.min(...all.map((one) => one?.typicalQuietMs ?? 0));
  if (all.length === 0 || quietMs <= 0) return null;
  const rates = each.map((ofHour) => ofHour.reduce((sum, one) => sum + (one?.bytesPerSecond ?? 0), 0));
  return {
    hour: hours[0] ?? 0,
    quietMs,
    bytesPerSecond: rates.reduce((sum, one) => sum + one, 0) / rates.length,
    weeks: Math.min(...all.map((one) => one?.weeks ?? 0)),
  };
}
