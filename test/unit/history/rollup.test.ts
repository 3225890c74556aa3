import { describe, expect, test } from "vitest";
import type { Activity } from "@/server/core/contracts/activity";
import { followedBy, gapBucket } from "@/server/core/history/activity";
import { observe, take } from "@/server/core/history/meter";
import { type Rollup, rollupOf, rowStart, steps, withMore } from "@/server/core/history/rollup";
import { InventedVolume, metered } from "../../fixtures/invented-volume";

const START = Date.UTC(2026, 10, 23, 7, 58);
const seeds = Array.from({ length: 25 }, (_, i) => 100 + i);

/** Summaries of about 10 s over some twenty minutes, with a hole. */
function summaries(seed: number, hole = true): { volume: InventedVolume; all: Activity[] } {
  const volume = new InventedVolume(seed, START);
  let meter = metered([volume.report()]);
  const all: Activity[] = [];
  for (let i = 0; i < 120; i += 1) {
    if (hole && i === 50) volume.skip(300_000);
    meter = observe(meter, volume.pass(5000, i % 11 === 0 ? 4 : 0));
    meter = observe(meter, volume.pass(5000, i % 11 === 0 ? 4 : 0));
    const { taken, meter: rest } = take(meter);
    meter = rest;
    if (taken !== null) all.push(taken);
  }
  return { volume, all };
}

const total = (of: (a: Activity) => number, all: readonly Activity[]) => all.reduce((sum, one) => sum + of(one), 0);

function rowsOf(step: (typeof steps)[number], all: readonly Activity[]): Rollup[] {
  const rows = new Map<number, Rollup>();
  for (const one of all) {
    const at = rowStart(step, one);
    rows.set(at, withMore(rows.get(at) ?? null, rollupOf(at, one)));
  }
  return [...rows.values()];
}

describe("roll-ups", () => {
  test("adding does not depend on the brackets", () => {
    for (const seed of seeds) {
      const [a, b, c, d] = summaries(seed).all.slice(48, 52) as [Activity, Activity, Activity, Activity];
      const left = followedBy(followedBy(followedBy(a, b), c), d);
      const right = followedBy(a, followedBy(b, followedBy(c, d)));
      expect({ ...right, quietLongestFromMs: 0 }).toEqual({ ...left, quietLongestFromMs: 0 });
    }
  });

  test("every step keeps all bytes, writes and measured time, and counts each summary's rate once", () => {
    for (const seed of seeds) {
      const { all } = summaries(seed);
      for (const step of steps) {
        const rows = rowsOf(step, all).map((row) => row.activity);
        for (const of of [
          (a: Activity) => a.writeBytes,
          (a: Activity) => a.writes,
          (a: Activity) => a.measuredMs,
          (a: Activity) => total((n) => n as unknown as number, a.gaps as unknown as Activity[]),
        ]) {
          expect(total(of, rows)).toBe(total(of, all));
        }
        const counted = rowsOf(step, all).flatMap((row) => row.rates);
        expect(counted.reduce((sum, n) => sum + n, 0)).toBe(all.length);
      }
    }
  });

  test("a hole in the data is not measured, and no gap goes across it", () => {
    for (const seed of seeds) {
      const { volume, all } = summaries(seed);
      const sum = all.reduce(followedBy);
      expect(sum.measuredMs).toBeLessThan(volume.nowMs - START - 299_000);
      expect(sum.quietLongestMs).toBeLessThanOrEqual(sum.measuredMs);
      const whole = summaries(seed, false);
      expect(whole.all.reduce(followedBy).quietLongestMs).toBe(whole.volume.longestQuiet(START, whole.volume.nowMs));
    }
  });

  test("a summary that comes late is added where it belongs", () => {
    const { all } = summaries(5);
    const step = steps[1];
    const inOrder = rowsOf(step, all);
    const late = rowsOf(step, [...all.slice(1, 20), all[0] as Activity, ...all.slice(20)]);
    const bytes = (rows: Rollup[]) => new Map(rows.map((row) => [row.atMs, row.activity.writeBytes]));
    expect(bytes(late)).toEqual(bytes(inOrder));
    expect(late.find((row) => row.atMs === inOrder[0]?.atMs)?.activity.fromMs).toBe(inOrder[0]?.activity.fromMs);
  });

  test("a gap's bucket is the first that is as long", () => {
    expect([0, 10, 11, 3_600_000, 9e9].map(gapBucket)).toEqual([0, 0, 1, 11, 11]);
  });
});
