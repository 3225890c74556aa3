/**
 * Keeps samples of runs that are on, for the lanes afterwards. A short run is kept finely, a long one coarsely:
 * the interval starts at 200 ms and doubles with every 300 samples of a volume, so even a day stays small; the largest
 * rate between two kept ones is kept with the second.
 * Samples are collected and written once a second by one statement.
 */
import type { Logger } from "pino";
import type { Run } from "@/server/core/contracts/run";
import type { KeptSample } from "@/server/core/contracts/views";
import type { Sample } from "@/server/core/contracts/volume";
import type { RunSampleRow, SampleStore } from "../../data/run-samples";
import type { Hosts } from "../hosts/hosts";

const FIRST_INTERVAL_MS = 200;
const PER_INTERVAL = 300;
const WRITE_EVERY_MS = 1000;
/** Enough to draw a lane on a wide screen. */
const MOST_PER_VOLUME = 600;

/** `last`: the newest sample, kept or not; `peak`: bytes a second since the last kept one. */
type VolumeState = { kept: number; nextAt: number; last: Sample | null; peak: number };
type Recording = { hostId: string; volumes: Map<string, VolumeState>; unwatch: () => void };

function rateBetween(before: Sample, after: Sample): number {
  const seconds = (Date.parse(after.at) - Date.parse(before.at)) / 1000;
  return seconds > 0 ? Math.max(0, after.writeBytes - before.writeBytes) / seconds : 0;
}

export class RunRecorder {
  readonly #store: SampleStore;
  readonly #hosts: Hosts;
  readonly #log: Logger;
  readonly #recordings = new Map<string, Recording>();
  readonly #timer: NodeJS.Timeout;
  #unwritten: RunSampleRow[] = [];

  constructor(store: SampleStore, hosts: Hosts, log: Logger) {
    this.#store = store;
    this.#hosts = hosts;
    this.#log = log;
    this.#timer = setInterval(() => void this.write(), WRITE_EVERY_MS);
  }

  begin(run: Run): void {
    if (this.#recordings.has(run.id)) return;
    const volumes = new Map<string, VolumeState>(
      run.volumes.map((volume) => [volume.name, { kept: 0, nextAt: 0, last: null, peak: 0 }]),
    );
    this.#recordings.set(run.id, { hostId: run.hostId, volumes, unwatch: this.#hosts.wantLive(run.hostId) });
  }

  end(runId: string): void {
    this.#recordings.get(runId)?.unwatch();
    this.#recordings.delete(runId);
  }

  receive(hostId: string, samples: Sample[]): void {
    for (const [runId, { hostId: ofHost, volumes }] of this.#recordings) {
      if (ofHost !== hostId) continue;
      for (const sample of samples) {
        const state = volumes.get(sample.volume);
        const at = Date.parse(sample.at);
        if (!state) continue;
        if (state.last) state.peak = Math.max(state.peak, rateBetween(state.last, sample));
        state.last = sample;
        if (at < state.nextAt) continue;
        state.kept += 1;
        state.nextAt = at + FIRST_INTERVAL_MS * 2 ** Math.floor(state.kept / PER_INTERVAL);
        this.#unwritten.push({ runId, sample: { ...sample, peakBytesPerSecond: state.peak } });
        state.peak = 0;
      }
    }
  }

  async history(runId: string): Promise<KeptSample[]> {
    await this.write();
    return this.#store.ofRun(runId, MOST_PER_VOLUME);
  }

  async write(): Promise<void> {
    const rows = this.#unwritten;
    this.#unwritten = [];
    try {
      await this.#store.add(rows);
    } catch (error) {
      this.#log.error({ err: error, lost: rows.length }, "samples could not be kept");
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }
}
