/** Live samples: the newest of each volume, passed on at most five times a second, latest wins. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LiveSample } from "@/server/core/contracts/views";
import type { Sample } from "@/server/core/contracts/volume";
import type { Hosts } from "../hosts/hosts";
import { Topic } from "../topic";
import type { RunRecorder } from "./run-recorder";

const EVERY_MS = 200;

export type LiveFilter = { hostId?: string | undefined; volumes?: string[] };

export class Telemetry {
  readonly #hosts: Hosts;
  readonly #recorder: RunRecorder;
  readonly #latest = new Map<string, Map<string, LiveSample>>();
  readonly #news = new Topic();

  constructor(hosts: Hosts, recorder: RunRecorder) {
    this.#hosts = hosts;
    this.#recorder = recorder;
  }

  receive(hostId: string, samples: Sample[]): void {
    const ofHost = this.#latest.get(hostId) ?? new Map<string, LiveSample>();
    this.#latest.set(hostId, ofHost);
    for (const sample of samples) ofHost.set(sample.volume, { ...sample, hostId });
    this.#recorder.receive(hostId, samples);
    this.#news.announce(hostId);
  }

  /** The newest of each volume. */
  latest(): LiveSample[] {
    return this.#select(undefined, undefined);
  }

  /** A volume that is gone has no newest sample. */
  keepOnly(hostId: string, volumes: string[]): void {
    const ofHost = this.#latest.get(hostId);
    for (const name of ofHost?.keys() ?? []) if (!volumes.includes(name)) ofHost?.delete(name);
  }

  /** What is known at once, then whatever changed. The host is asked for live data meanwhile. */
  async *follow({ hostId, volumes }: LiveFilter, signal: AbortSignal | undefined): AsyncGenerator<LiveSample[]> {
    const sent = new Map<string, string>();
    const bell = this.#news.bell((id) => hostId === undefined || id === hostId, signal);
    const unwatch = this.#hosts.wantLive(hostId ?? null);
    try {
      while (!signal?.aborted) {
        const changed = this.#select(hostId, volumes).filter((s) => sent.get(`${s.hostId} ${s.volume}`) !== s.at);
        for (const sample of changed) sent.set(`${sample.hostId} ${sample.volume}`, sample.at);
        if (changed.length > 0) yield changed;
        await sleep(EVERY_MS);
        if (!(await bell.rung())) return;
      }
    } finally {
      unwatch();
      bell.stop();
    }
  }

  #select(hostId: string | undefined, volumes: string[] | undefined): LiveSample[] {
    const hosts = hostId === undefined ? [...this.#latest.values()] : [this.#latest.get(hostId) ?? new Map()];
    const all: LiveSample[] = hosts.flatMap((ofHost) => [...ofHost.values()]);
    return volumes === undefined ? all : all.filter((sample) => volumes.includes(sample.volume));
  }
}
