/** Measurements of a long run stay few, and what stays tells the same bytes and the same peaks. */
import { expect, test } from "vitest";
import type { LanePoint } from "@/app/components/lanes/lanes-data";
import { appendPoint } from "@/app/components/lanes/series";

const point = (n: number, writeBytes: number) => ({
  at: 1000 + n * 100,
  writes: n,
  writeBytes,
  cacheUsed: n * 4096,
  lastWriteAt: 1000 + n * 100,
});

test("a hundred thousand measurements take no more room than asked for; ends, bytes and the one peak are still there", () => {
  const points: LanePoint[] = [];
  let bytes = 0;
  for (let n = 0; n < 100_000; n++) {
    bytes += n === 1234 ? 50_000_000 : 1000;
    appendPoint(points, point(n, bytes), 0, 500);
  }
  expect(points.length).toBeLessThanOrEqual(500);
  expect(points.length).toBeGreaterThan(250);
  expect(points[0]?.at).toBe(1000);
  expect(points.at(-1)).toMatchObject({ writeBytes: bytes, cacheUsed: 99_999 * 4096 });
  expect(points.map(({ at }) => at)).toEqual(points.map(({ at }) => at).sort((a, b) => a - b));
  expect(Math.max(...points.map(({ peak }) => peak))).toBe(500_000_000);
});

test("a measurement that came before is not taken twice", () => {
  const points: LanePoint[] = [];
  expect(appendPoint(points, point(1, 10))).toBe(true);
  expect(appendPoint(points, point(1, 20))).toBe(false);
  expect(appendPoint(points, point(0, 20))).toBe(false);
  expect(points).toHaveLength(1);
});

test("a peak that the console kept is larger than the mean between two kept measurements", () => {
  const points: LanePoint[] = [];
  appendPoint(points, point(0, 0));
  appendPoint(points, point(1, 100), 9000);
  expect(points[1]?.peak).toBe(9000);
});
