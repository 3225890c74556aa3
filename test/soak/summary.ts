/** The counts of a soak, for people and for programs. */
import { formatBytes } from "@/server/core/text/bytes";
import { type Comparison, comparisons, type Tally } from "./tally";

/** `share` 0.5 is the median; null of nothing. */
function quantile(values: number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}

export function progressLine(tally: Tally): string {
  const seconds = Math.round((Date.now() - tally.started) / 1000);
  const compared = [...tally.made].filter(([name]) => name !== "killed").reduce((sum, [, times]) => sum + times, 0);
  const overflows = tally.count("overflow");
  return [
    `${String(seconds).padStart(5)} s: ${tally.kills} kills, ${tally.snapshots} snapshots, ${overflows} overflows,`,
    `${compared} comparisons, ${formatBytes(tally.verifiedBytes)} verified, ${tally.errors.length} errors`,
  ].join(" ");
}

export interface Summary {
  seed: string;
  seconds: number;
  interrupted: boolean;
  kills: number;
  standbyKills: number;
  keeperKills: number;
  snapshots: number;
  /** Attach to detach. */
  lives: number;
  verifiedBytes: number;
  changes: Tally["changes"];
  /** Answered ones. */
  nbdWrites: number;
  pauseMs: { median: number | null; p95: number | null; max: number | null };
  comparisons: { name: Comparison; what: string; times: number; failed: number }[];
  errors: string[];
}

export function summarise(tally: Tally, seed: string, interrupted: boolean): Summary {
  const failed = (name: Comparison) => tally.errors.filter((error) => error.comparison === name).length;
  return {
    seed,
    seconds: Math.round((Date.now() - tally.started) / 1000),
    interrupted,
    kills: tally.kills,
    standbyKills: tally.standbyKills,
    keeperKills: tally.keeperKills,
    snapshots: tally.snapshots,
    lives: tally.lives,
    verifiedBytes: tally.verifiedBytes,
    changes: tally.changes,
    nbdWrites: tally.nbdWrites,
    pauseMs: {
      median: quantile(tally.pausesMs, 0.5),
      p95: quantile(tally.pausesMs, 0.95),
      max: quantile(tally.pausesMs, 1),
    },
    comparisons: (Object.keys(comparisons) as Comparison[]).map((name) => ({
      name,
      what: comparisons[name],
      times: tally.count(name),
      failed: failed(name),
    })),
    errors: tally.errors.map((error) => error.text),
  };
}

export function summaryText(summary: Summary): string {
  const ms = (value: number | null) => (value === null ? "–" : `${value.toFixed(1)} ms`);
  const { median, p95, max } = summary.pauseMs;
  const width = Math.max(...summary.comparisons.map((one) => one.what.length));
  return [
    `${summary.seconds} s, seed ${summary.seed}${summary.interrupted ? ", interrupted" : ""}`,
    `kills ${summary.kills} of an engine, ${summary.standbyKills} of one that stood by, ${summary.keeperKills} of a keeper`,
    `pause median ${ms(median)}, 95 % within ${ms(p95)}, longest ${ms(max)}`,
    `snapshots ${summary.snapshots}, volumes attached and detached ${summary.lives} times, ` +
      `${formatBytes(summary.verifiedBytes)} verified`,
    `${summary.nbdWrites} writes over NBD, ${summary.changes.toldBlocks} blocks told as changed between images, of which ` +
      `${summary.changes.differingBlocks} differ`,
    ...summary.comparisons.map((one) => `  ${one.what.padEnd(width)}  ${String(one.times).padStart(6)}`),
    `errors ${summary.errors.length}`,
    ...summary.errors.map((text) => `  ${text}`),
  ].join("\n");
}
