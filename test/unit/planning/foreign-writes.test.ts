import { describe, expect, it } from "vitest";
import { foreignReport, observeForeign, settleForeign, watchForeign } from "@/server/core/planning/foreign-writes";

type Changed = [agoMs: number, offset: number, length: number][];
const report = (at: number, quietMs: number, number: number, changed: Changed = [], lost = 0) => ({
  at,
  quietMs,
  writes: at,
  changes: { number, lost, changed },
});
const nothing = { foreign: 0, foreignAt: null, toldAt: null };

/** A subscription's first report at 1000, 40 ms after the last write of all. */
const begun = () => observeForeign(watchForeign("v"), report(1000, 40, 0, [[40, 0, 512]])).state;

describe("foreign writes", () => {
  it("are taken for all that was written before a subscription's first report", () => {
    const { state, open } = observeForeign(watchForeign("v"), report(1000, 40, 0, [[40, 0, 512]]));
    expect(open).toEqual([]);
    expect(foreignReport(state, 1000)).toEqual({ volume: "v", at: 1000, quietMs: 40, writes: 0 });
  });

  it("are what is found of the changes that a report tells", () => {
    const { state, open } = observeForeign(begun(), report(1100, 5, 1, [[5, 0, 512], [60, 8192, 4096]])); // biome-ignore format: pairs
    expect(open).toEqual([
      [1095, 0, 512],
      [1040, 8192, 4096],
    ]);
    expect(foreignReport(settleForeign(state, nothing), 1100)).toMatchObject({ quietMs: 140, writes: 0 });
    const found = settleForeign(state, { foreign: 1, foreignAt: 1040, toldAt: null });
    expect(foreignReport(found, 1100)).toMatchObject({ quietMs: 60, writes: 1 });
    const told = settleForeign(state, { ...nothing, toldAt: 1150 });
    expect(foreignReport(told, 1100)).toMatchObject({ quietMs: -50, writes: 1 });
  });

  it.each([
    ["that found no room", report(1100, 5, 1, [], 3)],
    ["that a lost report had told", report(1100, 5, 2)],
    ["before another engine's first report", report(1100, 5, 0)],
    ["that are not told at all", { at: 1100, quietMs: 5, writes: 1100, changes: null }],
  ])("are all changes %s", (_, unknown) => {
    const { state, open } = observeForeign(begun(), unknown);
    expect(open).toEqual([]);
    expect(foreignReport(state, 1100)).toEqual({ volume: "v", at: 1100, quietMs: 5, writes: 100 });
  });

  it("do not move back when something older is found later", () => {
    const { state } = observeForeign(begun(), report(1100, 5, 1, [], 1));
    expect(settleForeign(state, { foreign: 1, foreignAt: 1010, toldAt: 900 }).lastAt).toBe(1095);
  });
});
