/**
 * Measures the write activity of every attached volume, from the reports that its engine sends anyway, in summaries of
 * 10 s. While the console is away they are kept for an hour; then the oldest go, and history has a gap.
 */
import type { VolumeActivity } from "@/server/core/contracts/activity";
import { freshMeter, type Meter, observe, type Reading, take } from "@/server/core/history/meter";
import { monotonicMs } from "../clock";
import type { EngineWatch } from "../engine/engine-watch";
import type { Report } from "../engine/protocol.gen";
import type { KnownVolumes } from "../volumes/known-volumes";

const SUMMARY_MS = 10_000;
/** New volumes are found as quickly as this. */
const LOOK_MS = 1000;
const MOST_KEPT = 3_600_000 / SUMMARY_MS;

interface Measured {
  volume: string;
  meter: Meter;
  unlisten: () => void;
}

export class ActivityWatch {
  private readonly measured = new Map<EngineWatch, Measured>();
  private readonly timer: NodeJS.Timeout;
  private kept: VolumeActivity[][] = [];
  private summedAt = monotonicMs();

  constructor(private readonly known: KnownVolumes) {
    this.follow();
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.timer.unref();
  }

  /** What was measured and not taken yet, oldest first. */
  taken(): VolumeActivity[] {
    const all = this.kept.flat();
    this.kept = [];
    return all;
  }

  stop(): void {
    clearInterval(this.timer);
    for (const { unlisten } of this.measured.values()) unlisten();
    this.measured.clear();
  }

  private look(): void {
    this.follow();
    if (monotonicMs() - this.summedAt < SUMMARY_MS) return;
    this.summedAt = monotonicMs();
    this.keep([...this.measured.values()]);
  }

  /** Listens to the volumes that are attached now. */
  private follow(): void {
    const attached = new Map(this.known.allAttached().map(({ watch, record }) => [watch, record.name]));
    for (const [watch, measured] of this.measured) {
      if (attached.has(watch)) continue;
      measured.unlisten();
      this.measured.delete(watch);
      this.keep([measured]);
    }
    for (const [watch, volume] of attached) if (!this.measured.has(watch)) this.begin(watch, volume);
  }

  private begin(watch: EngineWatch, volume: string): void {
    const measured: Measured = { volume, meter: freshMeter, unlisten: () => {} };
    const report = (report: Report, asked: boolean) => {
      if (!asked) measured.meter = observe(measured.meter, readingOf(report));
    };
    measured.unlisten = watch.listen({ report });
    this.measured.set(watch, measured);
  }

  private keep(volumes: Measured[]): void {
    const summary = volumes.flatMap((one) => {
      const { taken, meter } = take(one.meter);
      one.meter = meter;
      return taken === null ? [] : [{ ...taken, volume: one.volume }];
    });
    if (summary.length > 0) this.kept = [...this.kept.slice(1 - MOST_KEPT), summary];
  }
}

function readingOf(report: Report): Reading {
  const { writes, writeBytes, discards, quietMs, longestGapMs, snapshots } = report;
  return {
    steadyMs: monotonicMs(),
    wallMs: Date.now(),
    writes,
    writeBytes,
    discards,
    quietMs,
    longestGapMs,
    snapshots,
  };
}
