"use client";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { LanePoint } from "@/app/components/lanes/lanes-data";
import { appendPoint } from "@/app/components/lanes/series";
import type { KeptSample } from "@/server/core/contracts/views";
import type { Sample } from "@/server/core/contracts/volume";

/** A drawing that takes longer than two frames makes the next one wait as long as it took. */
const SLOW_MS = 33;
const LONGEST_WAIT_MS = 1000;
const EMPTY: readonly LanePoint[] = [];

/**
 * What was measured of a run's volumes, apart from React: ten times a second something is added, and only what draws
 * it listens. Each volume's points are one array that grows in place, in bounded memory.
 */
export class SampleHistory {
  readonly #points = new Map<string, LanePoint[]>();
  readonly #newest = new Map<string, Sample>();
  readonly #listeners = new Set<() => void>();
  #version = 0;
  /** Whether the listeners are about to be told, and how long what they did took when they last were. */
  #due = false;
  #tookMs = 0;
  /** When something was last heard of the run, by this browser's clock. */
  heardAt: number | null = null;

  /** Samples that are not newer than what is known are ignored. */
  add(samples: readonly KeptSample[]): void {
    for (const sample of samples) {
      let points = this.#points.get(sample.volume);
      if (!points) {
        points = [];
        this.#points.set(sample.volume, points);
      }
      const point = {
        at: Date.parse(sample.at),
        writes: sample.writes,
        writeBytes: sample.writeBytes,
        cacheUsed: sample.cacheUsedBytes,
        lastWriteAt: sample.lastWriteAt ? Date.parse(sample.lastWriteAt) : null,
      };
      if (appendPoint(points, point, sample.peakBytesPerSecond)) this.#newest.set(sample.volume, sample);
    }
    this.#changed();
  }

  heard(at: number): void {
    this.heardAt = at;
    this.#changed();
  }

  points(volume: string): readonly LanePoint[] {
    return this.#points.get(volume) ?? EMPTY;
  }

  newest(volume: string): Sample | undefined {
    return this.#newest.get(volume);
  }

  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly version = (): number => this.#version;

  #changed(): void {
    this.#version += 1;
    this.#draw();
  }

  #draw(): void {
    if (this.#due || this.#listeners.size === 0) return;
    this.#due = true;
    if (this.#tookMs < SLOW_MS) requestAnimationFrame(this.#tell);
    else setTimeout(() => requestAnimationFrame(this.#tell), Math.min(this.#tookMs, LONGEST_WAIT_MS));
  }

  /**
   * Listeners hear of it with a frame of the browser. One that draws more slowly than it is told takes in all that has
   * come since and draws that once, in half of its time; drawing each batch it would fall ever further behind.
   */
  readonly #tell = (): void => {
    const begun = performance.now();
    const told = this.#version;
    for (const listener of this.#listeners) listener();
    setTimeout(() => {
      this.#tookMs = performance.now() - begun;
      this.#due = false;
      if (told !== this.#version) this.#draw();
    });
  };
}

/** Renders whoever calls it again whenever something was added. */
export function useHistory(history: SampleHistory): number {
  return useSyncExternalStore(history.listen, history.version, history.version);
}

/** The same at most once in so many milliseconds: figures that a person reads need no more. */
export function useHistoryEvery(history: SampleHistory, everyMs: number): void {
  const [, draw] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => {
    const stop = history.listen(() => {
      timer.current ??= setTimeout(() => {
        timer.current = null;
        draw(history.version());
      }, everyMs);
    });
    return () => {
      stop();
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    };
  }, [history, everyMs]);
}
