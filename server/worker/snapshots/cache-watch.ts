/**
 * Watches the caches of a group from the moment they are reserved: how they fill, and whether a snapshot is lost.
 * The first loss is the one that counts. The engine says it by an event; its reports say it too, for the case that
 * the event was sent to a connection that had just broken.
 */
import type { Report } from "../engine/protocol.gen";
import type { AttachedVolume } from "../volumes/known-volumes";

export interface Loss {
  volume: string;
  cause: "overflow" | "damaged";
  errno: number | null;
  detail: string;
}

export interface CurvePoint {
  at: string;
  usedBytes: number;
}

const MOST_POINTS = 400;

export class CacheWatch {
  loss: Loss | null = null;
  private readonly lost = new AbortController();
  private readonly curves = new Map<string, CurvePoint[]>();
  private readonly peaks = new Map<
    string,
    { cacheUsedBytes: number; preservedBlocks: number; skippedFreeBlocks: number }
  >();
  private stops: (() => void)[] = [];

  /** Aborts at the first loss. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  follow(volume: AttachedVolume, snapshot: string): void {
    const name = volume.record.name;
    this.curves.set(name, []);
    this.stops.push(
      volume.watch.fast(),
      volume.watch.listen({
        report: (report) => this.observe(name, snapshot, report),
        released: (event) => {
          if (event.snapshot === snapshot) {
            this.lose({ volume: name, cause: event.cause, errno: event.errno, detail: event.detail });
          }
        },
      }),
    );
  }

  curve(volume: string): CurvePoint[] {
    return this.curves.get(volume) ?? [];
  }

  /** Largest figures seen: an engine that released a snapshot reports none for it any more. */
  peak(volume: string): { cacheUsedBytes: number; preservedBlocks: number; skippedFreeBlocks: number } {
    return this.peaks.get(volume) ?? { cacheUsedBytes: 0, preservedBlocks: 0, skippedFreeBlocks: 0 };
  }

  stop(): void {
    for (const stop of this.stops) stop();
    this.stops = [];
  }

  private observe(volume: string, snapshot: string, report: Report): void {
    const ours = report.snapshots.find((s) => s.id === snapshot);
    if (ours === undefined) return;
    const peak = this.peak(volume);
    this.peaks.set(volume, {
      cacheUsedBytes: Math.max(peak.cacheUsedBytes, ours.cacheUsedBytes),
      preservedBlocks: Math.max(peak.preservedBlocks, ours.preservedBlocks),
      skippedFreeBlocks: Math.max(peak.skippedFreeBlocks, ours.skippedFreeBlocks),
    });
    if (ours.state === "overflowed" || ours.state === "damaged") {
      const cause = ours.state === "overflowed" ? "overflow" : "damaged";
      this.lose({ volume, cause, errno: ours.firstErrno, detail: ours.detail ?? "" });
      return; // what it held is freed by now: no part of how it filled
    }
    this.addPoint(volume, { at: report.at, usedBytes: ours.cacheUsedBytes });
  }

  /** Keeps the whole course in bounded room: when full, every second point goes. */
  private addPoint(volume: string, point: CurvePoint): void {
    const curve = this.curve(volume);
    if (curve.at(-1)?.usedBytes === point.usedBytes && curve.at(-2)?.usedBytes === point.usedBytes) curve.pop();
    curve.push(point);
    if (curve.length > MOST_POINTS) {
      this.curves.set(
        volume,
        curve.filter((_, i) => i % 2 === 0 || i === curve.length - 1),
      );
    }
  }

  private lose(loss: Loss): void {
    if (this.loss !== null) return;
    this.loss = loss;
    this.lost.abort();
  }
}
