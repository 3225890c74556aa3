import { describe, expect, it } from "vitest";
import {
  gapHistogram,
  observeQuiet,
  type QuietReport,
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
});
