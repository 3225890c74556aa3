/**
 * Keeps what workers tell of write activity as history. A summary is added to its row of every step, and the rows are
 * written by one transaction; the newest row of each step is remembered, so nothing is read but after a start.
 * What cannot be written is lost and leaves a gap: live data must not wait for it.
 */
import type { Logger } from "pino";
import type { VolumeActivity } from "@/server/core/contracts/activity";
import { type Rollup, rollupOf, rowStart, type Step, steps, withMore } from "@/server/core/history/rollup";
import type { ActivityStore, RollupRow } from "../../data/activity";

const TRIM_EVERY_MS = 3_600_000;

export class HistoryRecorder {
  readonly #store: ActivityStore;
  readonly #log: Logger;
  /** The newest row by host, volume and step; null: there is none. */
  readonly #newest = new Map<string, Rollup | null>();
  #last: Promise<void> = Promise.resolve();
  #trimAtMs = 0;

  constructor(store: ActivityStore, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** `zone`: the host's. */
  receive(hostId: string, zone: string, volumes: readonly VolumeActivity[]): Promise<void> {
    this.#last = this.#last.then(() =>
      this.#add(hostId, zone, volumes).catch((error) => {
        // What is remembered may be ahead of what is stored.
        this.#newest.clear();
        this.#log.error({ err: error, lost: volumes.length }, "write activity could not be kept");
      }),
    );
    return this.#last;
  }

  /** A volume of this name was made anew: what was measured of the one before is not its own. */
  forget(hostId: string, volume: string): Promise<void> {
    this.#last = this.#last.then(async () => {
      for (const step of steps) this.#newest.delete(`${hostId}\n${volume}\n${step.name}`);
      await this.#store.forget({ hostId, volume }).catch((error) => {
        this.#log.error({ err: error, volume }, "the history of a removed volume could not be removed");
      });
    });
    return this.#last;
  }

  /** Resolves when all that came is written. */
  close(): Promise<void> {
    return this.#last;
  }

  async #add(hostId: string, zone: string, volumes: readonly VolumeActivity[]): Promise<void> {
    const changed = new Map<string, RollupRow>();
    for (const { volume, ...activity } of volumes) {
      for (const step of steps) {
        const atMs = rowStart(step, activity);
        const key = `${hostId}\n${volume}\n${step.name}`;
        const found = changed.get(`${key}\n${atMs}`)?.rollup ?? (await this.#row(key, { hostId, volume }, step, atMs));
        const rollup = withMore(found, rollupOf(atMs, activity));
        if (atMs >= (this.#newest.get(key)?.atMs ?? 0)) this.#newest.set(key, rollup);
        changed.set(`${key}\n${atMs}`, { volume, step, rollup });
      }
    }
    await this.#store.save(hostId, zone, [...changed.values()]);
    await this.#trim();
  }

  /** The row as it is kept: looked for only where there may be one that is not remembered. */
  async #row(key: string, of: { hostId: string; volume: string }, step: Step, atMs: number): Promise<Rollup | null> {
    const known = this.#newest.get(key);
    const newest = known === undefined ? await this.#store.newest(of, step) : known;
    this.#newest.set(key, newest);
    if (newest === null || atMs > newest.atMs) return null;
    return atMs === newest.atMs ? newest : this.#store.find(of, step, atMs);
  }

  async #trim(): Promise<void> {
    const now = Date.now();
    if (now < this.#trimAtMs) return;
    this.#trimAtMs = now + TRIM_EVERY_MS;
    await this.#store.trim(now);
  }
}
