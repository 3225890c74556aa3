/** A change rate over time, as it is drawn: evenly spaced points, and nothing where nothing was measured. */
import type { Rollup } from "./rollup";

export interface RatePoint {
  atMs: number;
  /** Null: not measured. */
  bytesPerSecond: number | null;
}

/** Points of `pointMs` each, from the one that holds `fromMs` to the one that holds `toMs`. */
export function rateSeries(rows: readonly Rollup[], fromMs: number, toMs: number, pointMs: number): RatePoint[] {
  const first = Math.floor(fromMs / pointMs);
  const sums = Array.from({ length: Math.floor(toMs / pointMs) - first + 1 }, () => ({ bytes: 0, measuredMs: 0 }));
  for (const { atMs, activity } of rows) {
    const sum = sums[Math.floor(atMs / pointMs) - first];
    if (!sum) continue;
    sum.bytes += activity.writeBytes;
    sum.measuredMs += activity.measuredMs;
  }
  return sums.map(({ bytes, measuredMs }, i) => ({
    atMs: (first + i) * pointMs,
    bytesPerSecond: measuredMs > 0 ? (bytes / measuredMs) * 1000 : null,
  }));
}
