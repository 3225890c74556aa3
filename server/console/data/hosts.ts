/** Hosts, what was last heard of their volumes, and how far their outboxes are stored. */
import { z } from "zod";
import { type Volume, volumeSchema } from "@/server/core/contracts/volume";
import type { Database } from "./database";
import type { Host } from "./generated/client";

export type HostRow = Host;
export type HostFacts = { hostname: string; version: string; kernel: string; timeZone: string | null };

const volumes = z.array(volumeSchema);

export class HostStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Without those that were removed. */
  list(): Promise<HostRow[]> {
    return this.#db.host.findMany({ where: { removedAt: null }, orderBy: { name: "asc" } });
  }

  /** Removed ones too. */
  find(id: string): Promise<HostRow | null> {
    return this.#db.host.findUnique({ where: { id } });
  }

  async create(host: { id: string; name: string; hostname: string; keyHash: string }): Promise<void> {
    await this.#db.host.create({ data: { ...host, version: "", kernel: "" } });
  }

  async changeKey(id: string, keyHash: string): Promise<void> {
    await this.#db.host.update({ where: { id }, data: { keyHash } });
  }

  /** Its key opens nothing any more, what was heard of its volumes is forgotten; runs and failures stay. */
  async remove(id: string, at: Date): Promise<void> {
    await this.#db.$transaction([
      this.#db.host.update({ where: { id }, data: { removedAt: at, keyHash: `removed ${id}` } }),
      this.#db.hostVolumeCache.deleteMany({ where: { hostId: id } }),
    ]);
  }

  /** The worker said who it is; returns how far its outbox is stored. */
  async greeted(id: string, facts: HostFacts, outboxId: string, at: Date): Promise<number> {
    await this.#db.host.update({ where: { id }, data: { ...facts, lastSeenAt: at } });
    const outbox = await this.#db.outbox.findUnique({ where: { id: outboxId } });
    if (outbox && outbox.hostId !== id) throw new Error(`outbox ${outboxId} belongs to another host`);
    if (!outbox) await this.#db.outbox.create({ data: { id: outboxId, hostId: id } });
    return outbox?.lastSeq ?? 0;
  }

  async seen(id: string, at: Date): Promise<void> {
    await this.#db.host.update({ where: { id }, data: { lastSeenAt: at } });
  }

  /** Volumes of one host as last heard of; null: never. */
  async volumesOf(hostId: string): Promise<Volume[] | null> {
    const row = await this.#db.hostVolumeCache.findUnique({ where: { hostId } });
    return row && (volumes.safeParse(JSON.parse(row.volumes)).data ?? []);
  }

  async saveVolumes(hostId: string, list: Volume[], at: Date): Promise<void> {
    const data = { at, volumes: JSON.stringify(list) };
    await this.#db.hostVolumeCache.upsert({ where: { hostId }, create: { hostId, ...data }, update: data });
  }

  /** Volumes as last heard of, by host. A document of an older version that no longer fits counts as not heard. */
  async volumes(): Promise<Map<string, Volume[]>> {
    const rows = await this.#db.hostVolumeCache.findMany();
    return new Map(rows.map((row) => [row.hostId, volumes.safeParse(JSON.parse(row.volumes)).data ?? []]));
  }
}
