/** The hosts: who is connected, and asking them. */
import { randomUUID } from "node:crypto";
import { type HostInput, type HostMethod, type HostOutput, hostMethods } from "@/server/core/contracts/host-methods";
import type { WorkerFeature } from "@/server/core/contracts/link";
import type { Evidence } from "@/server/core/contracts/run";
import type { ActionResult, HostView } from "@/server/core/contracts/views";
import type { Doctor } from "@/server/core/contracts/volume";
import type { HostFacts, HostRow, HostStore } from "../../data/hosts";
import type { SettingStore } from "../../data/settings";
import { noteChange } from "../audit/change-note";
import { fault } from "../fault-error";
import { Topic } from "../topic";
import { type HostLink, patienceFor } from "./host-link";
import type { LocalPlaces } from "./local-worker";
import { restartWorker } from "./restart-worker";
import { unreachableEvidenceOf, unreachableFault } from "./unreachable";
import { Watch } from "./watch";

const SEEN_EVERY_MS = 10_000;

type Connection = { link: HostLink; seenAt: Date; savedAt: number };

export class Hosts {
  /** Announces the id of a host that connected, went away or changed. */
  readonly changes = new Topic();
  readonly #store: HostStore;
  readonly #settings: SettingStore;
  readonly #version: string;
  readonly #local: LocalPlaces;
  readonly #connections = new Map<string, Connection>();
  readonly #watch = new Watch((id, on) => this.#connections.get(id)?.link.watch(on));

  /** `local`: where to look for the worker on the console's own machine. */
  constructor(store: HostStore, settings: SettingStore, options: { version: string; local: LocalPlaces }) {
    this.#store = store;
    this.#settings = settings;
    this.#version = options.version;
    this.#local = options.local;
  }

  /** Makes the console's own machine a host, with the key that its worker will show. */
  async ensureLocal(hostname: string, keyHash: string): Promise<void> {
    const id = await this.#settings.localHostId();
    if (id !== null && (await this.#store.find(id))) return this.#store.changeKey(id, keyHash);
    const made = randomUUID();
    await this.#store.create({ id: made, name: hostname, hostname, keyHash });
    await this.#settings.setLocalHostId(made);
  }

  /** The hosts' ids by the hash of their keys. */
  async byKeyHash(): Promise<{ id: string; keyHash: string }[]> {
    return this.#store.list();
  }

  async list(): Promise<HostView[]> {
    const [rows, localId] = await Promise.all([this.#store.list(), this.#settings.localHostId()]);
    return rows.map((row) => this.#view(row, localId));
  }

  /** Also one that was removed: its runs still speak of it. */
  async get(id: string): Promise<HostView> {
    const row = await this.#store.find(id);
    if (!row) throw fault("notFound", "There is no such host.", { field: "hostId" });
    return this.#view(row, await this.#settings.localHostId());
  }

  /** The host with this key; null: none. */
  async withKey(keyHash: string): Promise<HostView | null> {
    const row = (await this.#store.list()).find((one) => one.keyHash === keyHash);
    return row === undefined ? null : this.get(row.id);
  }

  /** Makes a machine a host. Its name is its own, with a number where another host has it already. */
  async add(hostname: string, keyHash: string): Promise<HostView> {
    const taken = new Set((await this.#store.list()).map(({ name }) => name));
    let name = hostname;
    for (let n = 2; taken.has(name); n++) name = `${hostname} (${n})`;
    const id = randomUUID();
    await this.#store.create({ id, name, hostname, keyHash });
    this.changes.announce(id);
    return this.get(id);
  }

  /**
   * Its worker is let in no more. What it serves there goes on; runs and failures stay in the history. Refused for the
   * console's own machine, and while there are `jobs`, their names.
   */
  async remove(id: string, jobs: readonly string[]): Promise<void> {
    const host = await this.get(id);
    noteChange({ subject: host.name });
    if (host.removedAt !== null) throw fault("notFound", `“${host.name}” was removed already.`, { field: "hostId" });
    if (host.local) {
      throw fault("conflict", `“${host.name}” is the console's own machine and stays its host.`, { field: "hostId" });
    }
    const [first, ...more] = jobs;
    if (first !== undefined) {
      const which = more.length === 0 ? `job “${first}”` : `job “${first}” and ${more.length} more`;
      throw fault("conflict", `“${host.name}” has the ${which}. Delete or move them first.`, { field: "hostId" });
    }
    await this.#store.remove(id, new Date());
    this.linkOf(id)?.close("this host was removed from the console");
    this.changes.announce(id);
  }

  isConnected(id: string): boolean {
    return this.#connections.has(id);
  }

  /** Refuses a host whose worker is connected and too old for what `who` needs. */
  async requireSupport(id: string, feature: WorkerFeature, who: string): Promise<void> {
    const link = this.linkOf(id);
    if (link === null || link.supports.has(feature)) return;
    const { name, version } = await this.get(id);
    const worker = `The worker on ${name} (version ${version || "unknown"})`;
    throw fault("conflict", `${worker} is too old for ${who}: it does not know ${feature}. Upgrade Stillframe there.`);
  }

  /** Its connection; null when there is none. */
  linkOf(id: string): HostLink | null {
    return this.#connections.get(id)?.link ?? null;
  }

  /** Waits for a connection of the host other than `before`; false when none came in time. */
  async connectsAnew(id: string, before: HostLink | null, withinMs: number): Promise<boolean> {
    const late = AbortSignal.timeout(withinMs);
    const bell = this.changes.bell((key) => key === id, late);
    try {
      while (this.linkOf(id) === null || this.linkOf(id) === before) if (!(await bell.rung())) return false;
      return true;
    } finally {
      bell.stop();
    }
  }

  /** A worker that connects twice has lost its first connection without the console noticing. */
  connected(id: string, link: HostLink): void {
    this.#connections.get(id)?.link.close("another connection of this host took over");
    this.#connections.set(id, { link, seenAt: new Date(), savedAt: Date.now() });
    link.watch(this.#watch.isWanted(id));
    this.changes.announce(id);
  }

  async disconnected(id: string, link: HostLink): Promise<void> {
    const connection = this.#connections.get(id);
    if (connection?.link !== link) return;
    this.#connections.delete(id);
    await this.#store.seen(id, connection.seenAt);
    this.changes.announce(id);
  }

  /** Stores who the worker says it is; returns how far its outbox is stored. */
  greeted(id: string, facts: HostFacts, outboxId: string): Promise<number> {
    return this.#store.greeted(id, facts, outboxId, new Date());
  }

  /** Called for every message of a worker. */
  async heard(id: string): Promise<void> {
    const connection = this.#connections.get(id);
    if (!connection) return;
    connection.seenAt = new Date();
    if (Date.now() - connection.savedAt < SEEN_EVERY_MS) return;
    connection.savedAt = Date.now();
    await this.#store.seen(id, connection.seenAt);
  }

  /** Wants live data, 10 samples a second, of one host or (null) of all, until the returned function is called. */
  wantLive(id: string | null): () => void {
    return this.#watch.want(id, () => [...this.#connections.keys()]);
  }

  /** Asks a host. Throws a fault: the host's own, or OFO-COMM when it cannot be reached. */
  async ask<M extends HostMethod>(id: string, method: M, params: HostInput<M>): Promise<HostOutput<M>> {
    const connection = this.#connections.get(id);
    if (!connection) throw await this.unreachable(id);
    const answer = await connection.link.request(method, params, patienceFor(method));
    const checked = hostMethods[method].output.safeParse(answer);
    if (!checked.success) {
      const [issue] = checked.error.issues;
      const where = [method, ...(issue?.path ?? [])].join(".");
      throw fault("internal", `The worker's answer does not fit this console's version (${where}: ${issue?.message}).`);
    }
    return checked.data as HostOutput<M>;
  }

  async doctor(id: string, selfTest: boolean): Promise<Doctor> {
    noteChange({ subject: (await this.get(id)).name });
    return this.ask(id, "host.doctor", { selfTest });
  }

  async repair(id: string): Promise<Doctor> {
    noteChange({ subject: (await this.get(id)).name });
    const found = await this.ask(id, "host.repair", {});
    noteChange({ after: Object.fromEntries(found.checks.map(({ name, detail }) => [name, detail])) });
    return found;
  }

  restartWorker(id: string): Promise<ActionResult> {
    return restartWorker(this, this.#local, id);
  }

  async unreachable(id: string) {
    const host = await this.get(id);
    return unreachableFault(host, await this.unreachableEvidence(id));
  }

  async unreachableEvidence(id: string): Promise<Evidence> {
    const local = (await this.isLocal(id)) ? this.#local : null;
    return unreachableEvidenceOf(await this.get(id), this.#version, local);
  }

  /** Whether it is the machine that this console runs on. */
  async isLocal(id: string): Promise<boolean> {
    return (await this.#settings.localHostId()) === id;
  }

  /** Closes every connection; workers try again later. */
  close(): void {
    for (const { link } of this.#connections.values()) link.close("the console is shutting down");
  }

  #view(row: HostRow, localId: string | null): HostView {
    const connection = this.#connections.get(row.id);
    return {
      id: row.id,
      name: row.name,
      hostname: row.hostname,
      version: row.version,
      kernel: row.kernel,
      timeZone: row.timeZone,
      connected: connection !== undefined,
      lastSeenAt: (connection?.seenAt ?? row.lastSeenAt)?.toISOString() ?? null,
      local: row.id === localId,
      removedAt: row.removedAt?.toISOString() ?? null,
    };
  }
}
