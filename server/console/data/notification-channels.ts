/** Where notifications go, and the sealed secrets. */
import { z } from "zod";
import { severitySchema, type Target, targetSchema } from "@/server/core/contracts/notifications";
import type { Listener } from "@/server/core/notifications/quiet-repetition";
import type { Database } from "./database";
import type { NotificationChannel } from "./generated/client";

export type Channel = Listener & {
  name: string;
  target: Target;
  receiver: string;
  sealed: string | null;
};

const tells = z.array(severitySchema);
const jobIds = z.array(z.string()).nullable();

export function toChannel(row: NotificationChannel): Channel {
  const { id, name, enabled, receiver, quietMinutes, sealed } = row;
  return {
    id,
    name,
    enabled,
    receiver,
    quietMinutes,
    sealed,
    target: targetSchema.parse(JSON.parse(row.target)),
    tells: tells.parse(JSON.parse(row.tells)),
    jobIds: jobIds.parse(row.jobIds === null ? null : JSON.parse(row.jobIds)),
  };
}

export class ChannelStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(): Promise<Channel[]> {
    return (await this.#db.notificationChannel.findMany({ orderBy: { name: "asc" } })).map(toChannel);
  }

  async find(id: string): Promise<Channel | null> {
    const row = await this.#db.notificationChannel.findUnique({ where: { id } });
    return row && toChannel(row);
  }

  async findByName(name: string): Promise<Channel | null> {
    const row = await this.#db.notificationChannel.findUnique({ where: { name } });
    return row && toChannel(row);
  }

  async save({ id, ...channel }: Channel): Promise<void> {
    const data = {
      ...channel,
      target: JSON.stringify(channel.target),
      tells: JSON.stringify(channel.tells),
      jobIds: channel.jobIds === null ? null : JSON.stringify(channel.jobIds),
    };
    await this.#db.notificationChannel.upsert({ where: { id }, create: { id, ...data }, update: data });
  }

  /** With it go its messages and what it keeps quiet. */
  async remove(id: string): Promise<void> {
    await this.#db.notificationChannel.deleteMany({ where: { id } });
  }
}
