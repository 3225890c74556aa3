/** Messages to be delivered, and what became of them. A message leaves `waiting` only by an answer, or when it is given up. */
import { randomUUID } from "node:crypto";
import {
  type ChannelView,
  type DeliveryView,
  deliveryStateSchema,
  type Message,
  messageSchema,
} from "@/server/core/contracts/notifications";
import { failedLast } from "@/server/core/notifications/failed-last";
import type { Database } from "./database";
import type { NotificationDelivery } from "./generated/client";
import { type Channel, toChannel } from "./notification-channels";

export type Due = { id: string; message: Message; attempts: number; channel: Channel };
export type Fate = Pick<ChannelView, "waiting" | "lastDelivered" | "lastError">;

const messageOf = (row: NotificationDelivery): Message => messageSchema.parse(JSON.parse(row.message));

export class DeliveryStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The oldest message that is due of each channel that is not among `except`. */
  async due(now: Date, except: string[]): Promise<Due[]> {
    const rows = await this.#db.notificationDelivery.findMany({
      where: { state: "waiting", nextAttemptAt: { lte: now }, channelId: { notIn: except } },
      orderBy: { createdAt: "asc" },
      distinct: ["channelId"],
      include: { channel: true },
    });
    return rows.map((row) => ({
      id: row.id,
      message: messageOf(row),
      attempts: row.attempts,
      channel: toChannel(row.channel),
    }));
  }

  /** When the next attempt of a channel that is not among `except` is due. */
  async nextAttemptAt(except: string[]): Promise<Date | null> {
    const { _min } = await this.#db.notificationDelivery.aggregate({
      where: { state: "waiting", channelId: { notIn: except } },
      _min: { nextAttemptAt: true },
    });
    return _min.nextAttemptAt;
  }

  async delivered(id: string, answer: string, at: Date): Promise<void> {
    await this.#change(id, { state: "delivered", deliveredAt: at, answer, nextAttemptAt: null });
  }

  /** `nextAttemptAt` null: it is given up. */
  async failed(id: string, error: string, at: Date, nextAttemptAt: Date | null): Promise<void> {
    const state = nextAttemptAt === null ? "failed" : "waiting";
    await this.#change(id, { state, failedAt: at, error, nextAttemptAt });
  }

  /** Its channel may have been removed meanwhile. */
  async #change(id: string, data: Partial<NotificationDelivery>): Promise<void> {
    await this.#db.notificationDelivery.updateMany({ where: { id }, data: { ...data, attempts: { increment: 1 } } });
  }

  /** A message that was tried once, outside of the order of the others. */
  async addTried(
    channelId: string,
    message: Message,
    result: { ok: boolean; answer: string },
    at: Date,
  ): Promise<void> {
    const outcome = result.ok
      ? { state: "delivered", deliveredAt: at, answer: result.answer }
      : { state: "failed", failedAt: at, error: result.answer };
    await this.#db.notificationDelivery.create({
      data: { id: randomUUID(), channelId, message: JSON.stringify(message), attempts: 1, createdAt: at, ...outcome },
    });
  }

  /** Due now: one by its id, or all that wait in a channel. How many there were. */
  async hasten(which: { id: string } | { channelId: string }): Promise<number> {
    const where = "id" in which ? { ...which, state: { in: ["waiting", "failed"] } } : { ...which, state: "waiting" };
    const changed = await this.#db.notificationDelivery.updateMany({
      where,
      data: { state: "waiting", nextAttemptAt: new Date() },
    });
    return changed.count;
  }

  /** Those that wait in the channel are told to nobody any more. */
  async giveUp(channelId: string, reason: string): Promise<void> {
    await this.#db.notificationDelivery.updateMany({
      where: { channelId, state: "waiting" },
      data: { state: "failed", failedAt: new Date(), error: reason, nextAttemptAt: null },
    });
  }

  async find(id: string): Promise<DeliveryView | null> {
    const row = await this.#db.notificationDelivery.findUnique({ where: { id }, include: { channel: true } });
    return row && toView(row);
  }

  /** Newest first. */
  async list(limit: number): Promise<DeliveryView[]> {
    const rows = await this.#db.notificationDelivery.findMany({
      orderBy: { createdAt: "desc" },
      take: limit,
      include: { channel: true },
    });
    return rows.map(toView);
  }

  /** Ids of the channels whose last attempt failed. */
  async failing(): Promise<Set<string>> {
    const found = await this.#db.notificationDelivery.groupBy({
      by: ["channelId"],
      _max: { deliveredAt: true, failedAt: true },
    });
    const text = (at: Date | null) => at?.toISOString() ?? null;
    const failing = found.filter(({ _max }) => failedLast(text(_max.deliveredAt), text(_max.failedAt)));
    return new Set(failing.map(({ channelId }) => channelId));
  }

  async fateOf(channelId: string): Promise<Fate> {
    const newest = (by: "deliveredAt" | "failedAt") =>
      this.#db.notificationDelivery.findFirst({ where: { channelId, [by]: { not: null } }, orderBy: { [by]: "desc" } });
    const [waiting, delivered, failed] = await Promise.all([
      this.#db.notificationDelivery.count({ where: { channelId, state: "waiting" } }),
      newest("deliveredAt"),
      newest("failedAt"),
    ]);
    return {
      waiting,
      lastDelivered: delivered?.deliveredAt
        ? { at: delivered.deliveredAt.toISOString(), title: messageOf(delivered).title, answer: delivered.answer ?? "" }
        : null,
      lastError: failed?.failedAt
        ? { at: failed.failedAt.toISOString(), title: messageOf(failed).title, error: failed.error ?? "" }
        : null,
    };
  }

  /** Removes what is settled and older than this. */
  async forget(before: Date): Promise<void> {
    await this.#db.notificationDelivery.deleteMany({ where: { state: { not: "waiting" }, createdAt: { lt: before } } });
  }
}

function toView(row: NotificationDelivery & { channel: { id: string; name: string } }): DeliveryView {
  const { title, severity } = messageOf(row);
  const { id, attempts, answer, error, channel } = row;
  return {
    id,
    channel: { id: channel.id, name: channel.name },
    title,
    severity,
    state: deliveryStateSchema.parse(row.state),
    attempts,
    createdAt: row.createdAt.toISOString(),
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
    deliveredAt: row.deliveredAt?.toISOString() ?? null,
    answer,
    failedAt: row.failedAt?.toISOString() ?? null,
    error,
  };
}
