import { describe, expect, test } from "vitest";
import { isQuiet } from "@/server/core/history/activity";
import { hourElsewhere, hourName, hourOfWeek } from "@/server/core/history/hour-of-week";
import { longestGaps } from "@/server/core/history/quiet-gaps";
import { quietHours } from "@/server/core/history/quiet-hours";
import { rateSeries } from "@/server/core/history/rate-series";
import { type Rollup, rollupOf, rowStart, stepNamed, withMore } from "@/server/core/history/rollup";
import { weekOf } from "@/server/core/history/week";
import { officeWeeks, stretch } from "../../fixtures/history";

const HOUR = 3_600_000;
const MONDAY = Date.UTC(2026, 10, 2);
const MIB = 1024 * 1024;

function rows(step: "5min" | "1h", fromMs: number, toMs: number): Rollup[] {
  const found = new Map<number, Rollup>();
  for (const { volume: _, ...activity } of officeWeeks("data", fromMs, toMs, MIB)) {
    const at = rowStart(stepNamed(step), activity);
    found.set(at, withMore(found.get(at) ?? null, rollupOf(at, activity)));
  }
  return [...found.values()];
}

describe("hours of the week", () => {
  test("are those of the place, on both sides of a change of the clocks", () => {
    expect(hourOfWeek(MONDAY, "UTC")).toBe(0);
    expect(hourOfWeek(MONDAY, "Asia/Tokyo")).toBe(9);
    expect(hourOfWeek(MONDAY, "America/New_York")).toBe(6 * 24 + 19);
    // Berlin: 1 hour ahead of UTC in winter, 2 in summer.
    expect(hourOfWeek(Date.UTC(2026, 9, 24, 1), "Europe/Berlin")).toBe(5 * 24 + 3);
    expect(hourOfWeek(Date.UTC(2026, 9, 25, 1), "Europe/Berlin")).toBe(6 * 24 + 2);
    expect(hourElsewhere(9, "UTC", "Asia/Tokyo", MONDAY + 123)).toBe(18);
    expect(hourElsewhere(0, "Asia/Tokyo", "UTC", MONDAY)).toBe(6 * 24 + 15);
    expect(hourName(167)).toBe("Sunday, 23:00 to 00:00");
  });

  test("keep all that was measured, each hour where it belongs", () => {
    const hours = rows("1h", MONDAY, MONDAY + 14 * 24 * HOUR);
    for (const zone of ["UTC", "Europe/Berlin", "Pacific/Auckland"]) {
      const week = weekOf(hours, zone);
      expect(week).toHaveLength(168);
      expect(week.reduce((sum, one) => sum + one.measuredMs, 0)).toBe(14 * 24 * HOUR);
      expect(week.every(({ weeks }) => weeks === 2)).toBe(true);
      const mean = week.reduce((sum, one) => sum + (one.bytesPerSecond ?? 0), 0) / 168;
      const bytes = hours.reduce((sum, row) => sum + row.activity.writeBytes, 0);
      expect(mean).toBeCloseTo(bytes / (14 * 24 * 3600), 3);
    }
  });

  test("an hour that was hardly measured has a rate but no rest, and one that was not has neither", () => {
    const week = weekOf([rollupOf(MONDAY, stretch(MONDAY, 600_000, 614_400, 5000))], "UTC");
    expect(week[0]).toMatchObject({ weeks: 0, typicalQuietMs: null, bytesPerSecond: 1024 });
    expect(week[1]).toMatchObject({ weeks: 0, bytesPerSecond: null, measuredMs: 0 });
  });

  test("several volumes rest together no longer than the one that rests least", () => {
    const week = weekOf(rows("1h", MONDAY, MONDAY + 7 * 24 * HOUR), "UTC");
    const restless = week.map((one) => ({ ...one, typicalQuietMs: one.hour === 50 ? 90_000 : 500 }));
    expect(quietHours([week], 1)[0]).toMatchObject({ hour: 6 * 24 + 3, quietMs: HOUR, bytesPerSecond: 0 });
    const [best] = quietHours([week, restless], 3);
    expect(best?.quietMs).toBeLessThanOrEqual(90_000);
    expect(quietHours([week, weekOf([], "UTC")], 3)).toEqual([]);
    expect(quietHours([], 3)).toEqual([]);
  });
});

describe("the longest gaps", () => {
  test("are whole where they go over the ends of rows, and end where nothing was measured", () => {
    const at = (minute: number, length: number, bytes: number, quiet: number) =>
      rollupOf(MONDAY + minute * 60_000, stretch(MONDAY + minute * 60_000, length * 60_000, bytes, quiet));
    const gaps = longestGaps(
      [at(0, 5, 4096, 60_000), at(5, 5, 0, 0), at(10, 5, 0, 0), at(15, 5, 4096, 1500), at(40, 5, 0, 0)],
      10,
      1000,
    );
    expect(gaps).toEqual([
      { fromMs: MONDAY + 240_000, lengthMs: 660_000, open: false },
      { fromMs: MONDAY + 2_400_000, lengthMs: 300_000, open: true },
      { fromMs: MONDAY + 1_198_500, lengthMs: 1500, open: false },
    ]);
  });

  test("are the same from rows of 5 min and of an hour, where they are longer than an hour's others", () => {
    const [fine] = longestGaps(rows("5min", MONDAY, MONDAY + 7 * 24 * HOUR), 1, 1000);
    const [coarse] = longestGaps(rows("1h", MONDAY, MONDAY + 7 * 24 * HOUR), 1, 1000);
    expect(fine).toEqual({ fromMs: MONDAY + 6 * 24 * HOUR + 3 * HOUR - 20_000, lengthMs: HOUR + 20_000, open: false });
    expect(coarse).toEqual(fine);
  });
});

test("a drawn rate keeps the bytes, and has no value where nothing was measured", () => {
  const week = rows("5min", MONDAY, MONDAY + 7 * 24 * HOUR);
  const points = rateSeries(week, MONDAY - 2 * HOUR, MONDAY + 7 * 24 * HOUR - 1, 30 * 60_000);
  expect(points.slice(0, 4).map((point) => point.bytesPerSecond)).toEqual([null, null, null, null]);
  const drawn = points.reduce((sum, point) => sum + (point.bytesPerSecond ?? 0) * 1800, 0);
  expect(drawn).toBeCloseTo(
    week.reduce((sum, row) => sum + row.activity.writeBytes, 0),
    0,
  );
  expect(week.some((row) => isQuiet(row.activity))).toBe(true);
});
