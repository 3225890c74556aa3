import { expect, test } from "vitest";
import { type CacheReading, filling, withReading } from "@/server/core/planning/time-until-full";

const MIB = 1024 * 1024;
const readings = (used: number[]) =>
  used.reduce<CacheReading[]>(
    (all, usedBytes, i) => withReading(all, { atMs: i * 2000, usedBytes: usedBytes * MIB }),
    [],
  );

test("a location that fills is full when its room is used up at the rate of the last minute", () => {
  const steady = readings(Array.from({ length: 100 }, (_, i) => i * 2));
  expect(steady).toHaveLength(31);
  expect(filling(steady, 600 * MIB)).toEqual({ bytesPerSecond: MIB, fullInMs: 600_000 });
  expect(filling(steady, -1)).toMatchObject({ fullInMs: 0 });
});

test("nothing is said of one that does not fill, that was looked at for a moment, or whose cache was given back", () => {
  expect(filling([], MIB)).toBeNull();
  expect(filling(readings([5, 5, 5, 5, 5]), MIB)).toBeNull();
  expect(filling(readings([1, 2]), MIB)).toBeNull();
  const released = readings([10, 20, 30, 40, 0]);
  expect(released).toEqual([{ atMs: 8000, usedBytes: 0 }]);
  expect(withReading(released, { atMs: 8000, usedBytes: MIB })).toEqual(released);
});
