import { describe, expect, it } from "vitest";
import {
  gapHistogram,
  observeQuiet,
  type QuietReport,
  reachableQuiet,
  recurringGap,
  watchQuiet,
  writesPerSecond,
} from "@/server/core/planning/quiet-window";

const play = (minimumMs: number, volumes: string[], reports: QuietReport[]) =>
  reports.reduce(observeQuiet, watchQuiet(volumes, minimumMs, 0));

describe("quiet window", () => {
  it("is found when one volume has not been written to for the minimum", () => {
    const state = play(
      250,
      ["a"],
      [
        { volume: "a", at: 100, quietMs: 100, writes: 5 },
        { volume: "a", at: 400, quietMs: 260, writes: 9 },
      ],
    );
    expect(state.found).toEqual({ from: 140, to: 400 });
  });

  it("needs all volumes of the group quiet at the same time", () => {
    const state = play(
      250,
      ["a", "b"],
      [
        { volume: "a", at: 1000, quietMs: 900, writes: 1 },
        { volume: "b", at: 1010, quietMs: 10, writes: 7 },
        { volume: "a", at: 1100, quietMs: 1000, writes: 1 },
        { volume: "b", at: 1110, quietMs: 5, writes: 8 },
      ],
    );
    expect(state.found).toBeNull();
    expect(state.longestGapMs).toBeLessThan(100);
  });

  it("does not count time that a volume has not reported on yet", () => {
    const state = play(
      50,
      ["a", "b"],
      [
        { volume: "a", at: 10, quietMs: 5, writes: 1 },
        { volume: "b", at: 200, quietMs: 190, writes: 1 },
      ],
    );
    expect(state.found).toBeNull();
  });

  it("remembers the longest gap, the gaps by length and the rate for the evidence", () => {
    const state = play(
      1000,
      ["a"],
      [
        { volume: "a", at: 100, quietMs: 90, writes: 10 },
        { volume: "a", at: 400, quietMs: 390, writes: 10 },
        { volume: "a", at: 500, quietMs: 20, writes: 30 },
        { volume: "a", at: 1000, quietMs: 5, writes: 60 },
      ],
    );
    expect(state.longestGapMs).toBe(390);
    expect(gapHistogram(state).find((b) => b.upToMs === 500)?.count).toBe(1);
    expect(writesPerSecond(state, 1000)).toBe(50);
  });

  it("offers a length that several gaps had, not one that came once, with more time to meet it", () => {
    const gaps = [40, 300, 50, 60, 45];
    const reports = gaps.flatMap((quietMs, i) => [
      { volume: "a", at: i * 1000 + quietMs, quietMs, writes: i },
      { volume: "a", at: i * 1000 + 999, quietMs: 0, writes: i + 1 },
    ]);
    const state = play(1000, ["a"], reports);
    expect(state.longestGapMs).toBe(300);
    expect(recurringGap(state)).toBe(50);
    expect(reachableQuiet(50, 3000)).toEqual({ minimumMs: 40, timeoutMs: 6000 });
  });

  it("offers nothing where no gap was seen, and never waits longer than a time-out may be", () => {
    expect(recurringGap(play(1000, ["a"], []))).toBeNull();
    expect(reachableQuiet(null, 3000)).toBeNull();
    expect(reachableQuiet(100, 3_000_000)?.timeoutMs).toBe(3_600_000);
  });
});
