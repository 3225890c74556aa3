import { describe, expect, test } from "vitest";
import { freshMeter, observe, type Reading, take } from "@/server/core/history/meter";
import { InventedVolume, metered } from "../../fixtures/invented-volume";

const START = Date.UTC(2026, 10, 23);
const seeds = Array.from({ length: 40 }, (_, i) => i + 1);

describe("what a meter says of a volume", () => {
  test("every byte between the first and the last report is counted once, however often it is taken", () => {
    for (const seed of seeds) {
      const volume = new InventedVolume(seed, START);
      let meter = observe(freshMeter, volume.report());
      let [bytes, writes, measuredMs] = [0, 0, 0];
      for (let i = 0; i < 60; i += 1) {
        meter = observe(meter, volume.pass(i % 3 === 0 ? 5000 : 100, seed % 5));
        if (i % 7 !== 0) continue;
        const { taken, meter: rest } = take(meter);
        meter = rest;
        bytes += taken?.writeBytes ?? 0;
        writes += taken?.writes ?? 0;
        measuredMs += taken?.measuredMs ?? 0;
      }
      const last = take(meter).taken;
      expect(bytes + (last?.writeBytes ?? 0)).toBe(volume.bytesWritten);
      expect(writes + (last?.writes ?? 0)).toBe(volume.writesAt.length);
      expect(measuredMs + (last?.measuredMs ?? 0)).toBe(volume.nowMs - START);
    }
  });

  test("it never says more quiet than there was, and a gap of more than two reports is said to the millisecond", () => {
    for (const seed of seeds) {
      const volume = new InventedVolume(seed, START);
      const readings = [volume.report()];
      for (let i = 0; i < 80; i += 1) readings.push(volume.pass(5000, i % 9 === 0 ? 3 : 0));
      const sum = metered(readings).sum;
      const truth = volume.longestQuiet(START, volume.nowMs);
      expect(sum?.quietLongestMs).toBeLessThanOrEqual(truth);
      if (truth > 10_000) expect(sum?.quietLongestMs).toBe(truth);
      expect(sum?.quietTailMs).toBe(volume.nowMs - (volume.writesAt.at(-1) ?? START));
    }
  });

  test("a volume that is attached again has neither negative nor huge rates", () => {
    const volume = new InventedVolume(7, START);
    let meter = observe(freshMeter, volume.pass(5000, 40));
    meter = observe(meter, volume.pass(5000, 40));
    const before = volume.bytesWritten;
    volume.attachAgain();
    meter = observe(meter, volume.pass(5000, 3));
    const added = volume.bytesWritten - before;
    const { writeBytes, writes } = take(meter).taken ?? { writeBytes: -1, writes: -1 };
    expect(writes).toBeGreaterThanOrEqual(0);
    expect(writeBytes).toBeGreaterThanOrEqual(added);
    expect(writeBytes).toBeLessThanOrEqual(volume.bytesWritten);
  });

  test("what was written while nobody reported counts for no time at all", () => {
    const volume = new InventedVolume(3, START);
    let meter = observe(observe(freshMeter, volume.report()), volume.pass(5000, 5));
    const known = take(meter).taken?.writeBytes;
    meter = observe(meter, volume.pass(600_000, 1000));
    expect(take(meter).taken).toMatchObject({ writeBytes: known, measuredMs: 5000 });
    // From there on it goes on.
    expect(take(observe(meter, volume.pass(5000, 5))).taken?.measuredMs).toBe(10_000);
  });

  test("a clock that is set between two reports makes a break, not a long or a negative time", () => {
    const reading = (steadyMs: number, wallMs: number): Reading => ({
      steadyMs,
      wallMs,
      writes: steadyMs,
      writeBytes: steadyMs * 4096,
      discards: 0,
      quietMs: 1,
      longestGapMs: 1,
      snapshots: [],
    });
    const sum = metered([reading(0, START), reading(5000, START - 3_600_000), reading(10_000, START - 3_595_000)]).sum;
    expect(sum).toMatchObject({ measuredMs: 5000, writes: 5000, fromMs: START - 3_600_000 });
  });

  test("cache is counted against what was written while one snapshot was open", () => {
    const reading = (at: number, writeBytes: number, blocks: number | null): Reading => ({
      steadyMs: at,
      wallMs: START + at,
      writes: at,
      writeBytes,
      discards: 0,
      quietMs: 0,
      longestGapMs: 0,
      snapshots: blocks === null ? [] : [{ id: "s1", preservedBlocks: blocks, skippedFreeBlocks: 2 * blocks }],
    });
    const sum = metered([
      reading(0, 0, null),
      reading(100, 1_000_000, 0),
      reading(200, 1_081_920, 10),
      reading(300, 1_163_840, 15),
      reading(400, 9_000_000, null),
    ]).sum;
    expect(sum).toMatchObject({
      writeBytes: 9_000_000,
      frozenWriteBytes: 163_840,
      preservedBytes: 15 * 4096,
      skippedFreeBytes: 30 * 4096,
    });
  });
});
