/** Volumes as last heard of, and the changes that people make to them. */
import type { HostInput } from "@/server/core/contracts/host-methods";
import type { VolumeView } from "@/server/core/contracts/views";
import type { Volume } from "@/server/core/contracts/volume";
import type { HostStore } from "../../data/hosts";
import type { HistoryRecorder } from "../history/recorder";
import type { Hosts } from "../hosts/hosts";
import type { Telemetry } from "../telemetry/telemetry";

type Changing = "volume.attach" | "practice.create" | "practice.writer";
type Removing = "volume.detach" | "practice.remove";

export class Volumes {
  readonly #store: HostStore;
  readonly #hosts: Hosts;
  readonly #telemetry: Telemetry;
  readonly #history: HistoryRecorder;
  #last: Promise<void> = Promise.resolve();

  constructor(store: HostStore, hosts: Hosts, telemetry: Telemetry, history: HistoryRecorder) {
    this.#store = store;
    this.#hosts = hosts;
    this.#telemetry = telemetry;
    this.#history = history;
  }

  async list(hostId?: string): Promise<VolumeView[]> {
    const byHost = await this.#store.volumes();
    return [...byHost]
      .filter(([id]) => hostId === undefined || id === hostId)
      .flatMap(([id, volumes]) => volumes.map((volume) => this.#view(id, volume)));
  }

  /** One list after the other: each is held against the one before. */
  receive(hostId: string, volumes: Volume[]): Promise<void> {
    const taken = this.#last.then(() => this.#take(hostId, volumes));
    this.#last = taken.catch(() => {}); // whoever brought it hears of it
    return taken;
  }

  /** A practice volume that was not there before is a new one, whatever was once called so. */
  async #take(hostId: string, volumes: Volume[]): Promise<void> {
    const before = await this.#store.volumesOf(hostId);
    const made = volumes.filter(({ name, practice }) => practice && !before?.some((one) => one.name === name));
    if (before !== null) for (const { name } of made) await this.#history.forget(hostId, name);
    await this.#store.saveVolumes(hostId, volumes, new Date());
    this.#telemetry.keepOnly(
      hostId,
      volumes.map((volume) => volume.name),
    );
    this.#hosts.changes.announce(hostId);
  }

  /** The list at once, and again whenever it or a host's connection changes. */
  async *follow(signal: AbortSignal | undefined): AsyncGenerator<VolumeView[]> {
    const bell = this.#hosts.changes.bell(() => true, signal);
    let sent = "";
    try {
      do {
        const volumes = await this.list();
        const now = JSON.stringify(volumes);
        if (now !== sent) yield volumes;
        sent = now;
      } while (await bell.rung());
    } finally {
      bell.stop();
    }
  }

  attach = (hostId: string, input: HostInput<"volume.attach">) => this.#change(hostId, "volume.attach", input);
  createPractice = (hostId: string, input: HostInput<"practice.create">) =>
    this.#change(hostId, "practice.create", input);
  setWriter = (hostId: string, input: HostInput<"practice.writer">) => this.#change(hostId, "practice.writer", input);
  detach = (hostId: string, input: HostInput<"volume.detach">) => this.#remove(hostId, "volume.detach", input);
  removePractice = (hostId: string, input: HostInput<"practice.remove">) =>
    this.#remove(hostId, "practice.remove", input);

  async #change<M extends Changing>(hostId: string, method: M, input: HostInput<M>): Promise<VolumeView> {
    const volume: Volume = await this.#hosts.ask(hostId, method, input);
    await this.#refresh(hostId);
    return this.#view(hostId, volume);
  }

  async #remove<M extends Removing>(hostId: string, method: M, input: HostInput<M>): Promise<Record<string, never>> {
    await this.#hosts.ask(hostId, method, input);
    await this.#refresh(hostId);
    return {};
  }

  /** The page that asked for a change shows it at once, not when the worker's next list comes. */
  async #refresh(hostId: string): Promise<void> {
    await this.receive(hostId, await this.#hosts.ask(hostId, "volume.list", {}));
  }

  #view(hostId: string, volume: Volume): VolumeView {
    return { ...volume, hostId, connected: this.#hosts.isConnected(hostId) };
  }
}
