import { describe, expect, test } from "vitest";
import type { Run } from "@/server/core/contracts/run";
import { type Rollup, rollupOf } from "@/server/core/history/rollup";
import { ASSUMED_BYTES_PER_SECOND, expectedDuration } from "@/server/core/planning/backup-duration";
import type { CandidateLocation } from "@/server/core/planning/cache-choice";
import { cacheFit } from "@/server/core/planning/cache-fit";
import { type ForecastVolume, forecastCache, fullAfter } from "@/server/core/planning/forecast";
import { type MeasuredWrites, measuredWrites, timeToWrite, writtenWithin } from "@/server/core/planning/write-windows";
import { stretch } from "../../fixtures/history";
import { Random } from "../../soak/random";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 2);

/** Rows of 5 min with these bytes; null: not measured. */
function rows(bytes: readonly (number | null)[]): Rollup[] {
  return bytes.flatMap((one, i) => {
    const at = START + i * 5 * MINUTE;
    return one === null ? [] : [rollupOf(at, stretch(at, 5 * MINUTE, one, 1000))];
  });
}

function randomRows(seed: string, count: number): Rollup[] {
  const random = new Random(seed);
  return rows(Array.from({ length: count }, () => (random.fraction() < 0.03 ? null : random.whole(0, 40) ** 3 * 4096)));
}

const seeds = Array.from({ length: 30 }, (_, i) => `forecast ${i}`);
const lengths = [0, 1000, MINUTE, 5 * MINUTE, 7 * MINUTE, HOUR, 2 * HOUR, 9 * HOUR, 24 * HOUR, 80 * HOUR];
const steady = (bytesPerSecond: number): MeasuredWrites =>
  measuredWrites([], rows(Array.from({ length: 24 * 12 }, () => bytesPerSecond * 300)));

describe("what is written within a time", () => {
  test("is never less for a longer time, and never more than was ever written in so many rows", () => {
    for (const seed of seeds) {
      const measured = randomRows(seed, 400);
      const { windows } = measuredWrites([], measured);
      const most = Math.max(...measured.map((row) => row.activity.writeBytes));
      const need = lengths.map((length) => writtenWithin(windows, length));
      expect(need).toEqual([...need].sort((a, b) => a - b));
      for (const { lengthMs, bytes } of windows)
        expect(bytes).toBeLessThanOrEqual((lengthMs / (5 * MINUTE)) * most + 1);
    }
  });

  test("is not exceeded by 19 of 20 stretches of that length", () => {
    for (const seed of seeds) {
      const bytes = Array.from({ length: 300 }, (_, i) => new Random(`${seed}/${i}`).whole(0, 1000) * 4096);
      const { windows } = measuredWrites([], rows(bytes));
      for (const { lengthMs, bytes: need } of windows) {
        const width = lengthMs / (5 * MINUTE);
        const sums = bytes.flatMap((_, i) =>
          i + width <= bytes.length ? [bytes.slice(i, i + width).reduce((a, b) => a + b, 0)] : [],
        );
        const within = sums.filter((sum) => sum <= need).length;
        expect(within / sums.length).toBeGreaterThanOrEqual(0.95);
      }
    }
  });

  test("of a steady volume is its rate times the time, and the time is found back from the bytes", () => {
    const { windows } = steady(MIB);
    for (const length of lengths) expect(writtenWithin(windows, length)).toBeCloseTo((length / 1000) * MIB, -1);
    for (const length of lengths.slice(1)) expect(timeToWrite(windows, (length / 1000) * MIB)).toBeCloseTo(length, 3);
    expect(timeToWrite(steady(0).windows, 1)).toBeNull();
  });

  test("holes do not count as rest: a stretch with too much of one is left out", () => {
    const holed = Array.from({ length: 288 }, (_, i) => (i % 3 === 0 ? 300 * MIB : null));
    expect(measuredWrites([], rows(holed)).windows).toEqual([{ lengthMs: 5 * MINUTE, bytes: 300 * MIB }]);
    expect(measuredWrites([], []).windows).toEqual([]);
  });
});

describe("the forecast", () => {
  const volume = (name: string, more: Partial<ForecastVolume> = {}): ForecastVolume => ({
    name,
    sizeBytes: 200 * GIB,
    usedBytes: 50 * GIB,
    ...more,
  });
  const free = { initialBytes: null, maxBytes: null };
  const twoHours = { ...expectedDuration([volume("a"), volume("b")], []), allAtOnceMs: 2 * HOUR };
  const expected = { ...twoHours, oneAtATimeMs: { a: HOUR, b: HOUR } };

  test("goes by the measured rate and the expected time; alone a volume is open for less of it", () => {
    const forecast = forecastCache(
      [volume("a", { measured: steady(MIB) }), volume("b", { measured: steady(2 * MIB) })],
      free,
      expected,
    );
    expect(forecast.volumes).toEqual([
      { name: "a", needBytes: 7200 * MIB, aloneBytes: 3600 * MIB, basis: "measured" },
      { name: "b", needBytes: 14_400 * MIB, aloneBytes: 7200 * MIB, basis: "measured" },
    ]);
    expect(forecast.needAllAtOnceBytes).toBe(21_600 * MIB);
    expect(forecast.needOneAtATimeBytes).toBe(7200 * MIB);
  });

  test("counts what took cache in past snapshots, with free space only if that is preserved, and no more than the volume has", () => {
    const measured = { ...steady(MIB), preservedShare: 0.25, changedShare: 0.5 };
    const need = (more: object) =>
      forecastCache([volume("a", { measured, ...more })], { ...free, ...more }, expected).needAllAtOnceBytes;
    expect(need({})).toBe(1800 * MIB);
    expect(need({ skipFreeBlocks: false })).toBe(3600 * MIB);
    expect(need({ sizeBytes: GIB })).toBe(GIB);
  });

  test("goes by the rule where too little was measured, and by the job's maximum where that is given", () => {
    const little = { ...steady(MIB), measuredMs: HOUR - 1 };
    expect(forecastCache([volume("a", { measured: little })], free, expected).volumes[0]).toMatchObject({
      needBytes: 15 * GIB,
      basis: "rule",
    });
    const given = { initialBytes: null, maxBytes: GIB };
    expect(forecastCache([volume("a")], given, expected).volumes[0]).toMatchObject({
      needBytes: GIB,
      basis: "maximum",
    });
    // A maximum does not make a measured need smaller: it may not fit.
    expect(forecastCache([volume("a", { measured: steady(MIB) })], given, expected).needAllAtOnceBytes).toBe(
      7200 * MIB,
    );
  });

  test("says why it does not fit, and when the cache would be full", () => {
    const location: CandidateLocation = {
      path: "/cache",
      exists: true,
      writable: true,
      freeBytes: 10 * GIB,
      reservedBytes: 0,
      engineVolume: null,
    };
    const volumes = [volume("a", { measured: steady(MIB) })];
    const options = { initialBytes: null, maxBytes: 900 * MIB };
    const fit = cacheFit(volumes, [location], options, forecastCache(volumes, options, expected));
    expect(fit.allAtOnce).toEqual({
      fits: false,
      roomBytes: 900 * MIB,
      reasons: [
        "a is expected to need 7.0 GiB, and this job’s maximum size allows 900 MiB: it would be full after about 15 min 0 s.",
      ],
    });
    expect(cacheFit(volumes, [], free, forecastCache(volumes, free, expected)).allAtOnce.reasons).toEqual([
      "No cache location is allowed.",
    ]);
    const more = [location, { ...location, path: "/more", freeBytes: 20 * GIB }];
    const spilled = cacheFit(volumes, more, free, forecastCache(volumes, free, expected));
    expect(spilled.allAtOnce).toMatchObject({ fits: true, reasons: [] });
    expect(fullAfter(volume("b"), free, GIB)).toBeNull();
  });
});

describe("how long a backup takes", () => {
  const run = (minutes: number, names: string[], state: Run["state"] = "succeeded"): Run =>
    ({
      state,
      endedAt: new Date(START + minutes * MINUTE).toISOString(),
      volumes: names.map((name) => ({ name, takenAt: new Date(START).toISOString() })),
    }) as Run;
  const volumes = [
    { name: "a", usedBytes: 30 * GIB },
    { name: "b", usedBytes: 10 * GIB },
  ];

  test("is as long as the longest of its past runs, split by what there is to read", () => {
    const past = [run(40, ["b", "a"]), run(60, ["a", "b"]), run(500, ["a"]), run(600, ["a", "b"], "failed")];
    const { allAtOnceMs, oneAtATimeMs, basis } = expectedDuration(volumes, past);
    expect(allAtOnceMs).toBe(HOUR);
    expect(oneAtATimeMs).toEqual({ a: 45 * MINUTE, b: 15 * MINUTE });
    expect(basis).toEqual({ kind: "runs", runs: 2 });
  });

  test("is assumed by the size where the job has not run", () => {
    const { allAtOnceMs, basis } = expectedDuration(volumes, []);
    expect(allAtOnceMs).toBe(((40 * GIB) / ASSUMED_BYTES_PER_SECOND) * 1000);
    expect(basis).toEqual({ kind: "assumed", bytesPerSecond: ASSUMED_BYTES_PER_SECOND });
    expect(expectedDuration([], []).allAtOnceMs).toBe(10_000);
  });
});
