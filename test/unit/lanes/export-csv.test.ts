/** The lanes as CSV: every measurement and everything that happened, in order, however a volume is called. */
import { expect, test } from "vitest";
import { lanesCsv } from "@/app/components/lanes/export-csv";
import type { Lane, LanePoint } from "@/app/components/lanes/lanes-data";

const point = (at: number, writes: number, writeBytes: number, cacheUsed: number): LanePoint => ({
  at,
  writes,
  writeBytes,
  cacheUsed,
  lastWriteAt: at,
  peak: 0,
});
const lane = (name: string): Lane => ({
  name,
  detail: "",
  points: [point(0, 0, 0, 0), point(500, 4, 8192, 4096), point(1500, 4, 8192, 4096)],
  quiet: { from: 100, to: 200 },
  frozenAt: 200,
  released: { at: 1000, word: "released", lost: false },
  cacheMax: 1 << 20,
  waiting: null,
});

test("rates are those since the measurement before, and a cache that was released holds nothing", () => {
  const csv = lanesCsv({ lanes: [lane("db")], cuts: [], from: 0, to: 1500, now: null, expectedEnd: null });
  expect(csv.split("\r\n").slice(1, -1)).toEqual([
    "db,1970-01-01T00:00:00.000Z,measured,0,0,,,,0,1048576",
    "db,1970-01-01T00:00:00.100Z,quiet window begins,,,,,,,",
    "db,1970-01-01T00:00:00.200Z,quiet window ends,,,,,,,",
    "db,1970-01-01T00:00:00.200Z,frozen,,,,,,,",
    "db,1970-01-01T00:00:00.500Z,measured,4,8192,16384,8,16384,4096,1048576",
    "db,1970-01-01T00:00:01.000Z,released,,,,,,,",
    "db,1970-01-01T00:00:01.500Z,measured,4,8192,0,0,0,0,1048576",
  ]);
});

test("a name with quotes, commas or a formula stays one cell of text", () => {
  const data = { cuts: [], from: 0, to: 1500, now: null, expectedEnd: null };
  expect(lanesCsv({ ...data, lanes: [lane('a "b", c')] })).toContain('"a ""b"", c",1970');
  expect(lanesCsv({ ...data, lanes: [lane("=1+1")] })).toContain("'=1+1,1970");
});
