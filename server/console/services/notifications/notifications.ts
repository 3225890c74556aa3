/** Channels of notifications: making, changing, testing and removing them, and what became of messages. */
import { randomUUID } from "node:crypto";
import type {
  ChannelInput,
  ChannelView,
  DeliveryView,
  JobChannel,
  TestResult,
} from "@/server/core/contracts/notifications";
import { testMessage } from "@/server/core/notifications/message";
import {
  kindTexts,
  needsSecret,
  receiverOf,
  secretProblem,
  sendsSecretElsewhere,
} from "@/server/core/notifications/target";
import type { Channel, ChannelStore } from "../../data/notification-channels";
import type { DeliveryStore } from "../../data/notification-deliveries";
import { noteChange } from "../audit/change-note";
import { fault } from "../fault-error";
import type { Dispatcher } from "./dispatcher";
import type { Sender } from "./sender";

const DAY_MS = 86_400_000;
const KEPT_DAYS = 30;

type Parts = {
  channels: ChannelStore;
  deliveries: DeliveryStore;
  sender: Sender;
  dispatcher: Dispatcher;
  origin: string;
};

export class Notifications {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async list(): Promise<ChannelView[]> {
    const { channels, deliveries } = this.#parts;
    const all = await channels.list();
    return Promise.all(
      all.map(async (channel) => ({ ...settingsOf(channel), ...(await deliveries.fateOf(channel.id)) })),
    );
  }

  async ofJob(jobId: string | null): Promise<JobChannel[]> {
    const [all, failing] = await Promise.all([this.#parts.channels.list(), this.#parts.deliveries.failing()]);
    return all
      .filter(({ enabled, jobIds }) => enabled && (jobIds === null || (jobId !== null && jobIds.includes(jobId))))
      .map(({ id, name, tells }) => ({ name, tells: [...tells], failing: failing.has(id) }));
  }

  /** Names of the channels that are on and whose last message was not delivered. */
  async failing(): Promise<string[]> {
    const failing = await this.#parts.deliveries.failing();
    if (failing.size === 0) return [];
    const all = await this.#parts.channels.list();
    return all.filter(({ id, enabled }) => enabled && failing.has(id)).map(({ name }) => name);
  }

  deliveries(limit: number): Promise<DeliveryView[]> {
    return this.#parts.deliveries.list(limit);
  }

  async create(input: ChannelInput): Promise<{ id: string }> {
    const id = randomUUID();
    await this.#save(id, input, null);
    return { id };
  }

  /** What waits is tried again at once, with the new settings; a channel that is switched off gives it up. */
  async update(id: string, input: ChannelInput): Promise<void> {
    const { deliveries, dispatcher } = this.#parts;
    const before = await this.#get(id);
    noteChange({ before: settingsOf(before) });
    await this.#save(id, input, before);
    if (input.enabled) await deliveries.hasten({ channelId: id });
    else await deliveries.giveUp(id, "The channel was switched off.");
    dispatcher.wake();
  }

  async remove(id: string): Promise<void> {
    const channel = await this.#get(id);
    noteChange({ subject: channel.name, before: settingsOf(channel) });
    await this.#parts.channels.remove(id);
  }

  /** Sends a message now, and tells what the receiver answered. It is not tried again. */
  async test(id: string): Promise<TestResult> {
    const { sender, deliveries, origin } = this.#parts;
    const channel = await this.#get(id);
    noteChange({ subject: channel.name });
    const at = new Date();
    const message = testMessage(channel.name, at.toISOString(), origin);
    const { ok, answer } = await sender.send(channel, randomUUID(), message, new AbortController().signal);
    noteChange({ after: { ok, answer } });
    await deliveries.addTried(id, message, { ok, answer }, at);
    return { ok, answer };
  }

  /** Tries a message again that waits or was given up. */
  async retry(id: string): Promise<void> {
    const { deliveries, channels, dispatcher } = this.#parts;
    const delivery = await deliveries.find(id);
    if (!delivery) throw fault("notFound", "There is no such message.", { field: "id" });
    noteChange({ subject: `${delivery.channel.name}: ${delivery.title}` });
    const channel = await channels.find(delivery.channel.id);
    if (!channel?.enabled) throw fault("conflict", `The channel “${delivery.channel.name}” is switched off.`);
    if ((await deliveries.hasten({ id })) === 0) throw fault("conflict", "It has been delivered already.");
    dispatcher.wake();
  }

  /** Removes what was settled a month ago. */
  async forget(now = Date.now()): Promise<void> {
    await this.#parts.deliveries.forget(new Date(now - KEPT_DAYS * DAY_MS));
  }

  async #get(id: string): Promise<Channel> {
    const channel = await this.#parts.channels.find(id);
    if (!channel) throw fault("notFound", "There is no such channel.", { field: "id" });
    return channel;
  }

  async #save(id: string, { secret, ...input }: ChannelInput, before: Channel | null): Promise<void> {
    const { channels, sender } = this.#parts;
    const { target } = input;
    noteChange({ subject: input.name });
    const sameName = await channels.findByName(input.name);
    if (sameName && sameName.id !== id) {
      throw fault("conflict", `There is already a channel “${input.name}”. Choose another name.`, { field: "name" });
    }
    refuseSecret(input, secret, before);
    const sealed = secret === undefined ? (before?.sealed ?? null) : secret && sender.seal(id, secret);
    const receiver =
      target.kind === "slack" && secret === undefined && before ? before.receiver : receiverOf(target, secret ?? null);
    const unused = target.kind === "email" && target.user === null;
    const channel: Channel = { id, ...input, receiver, sealed: unused ? null : sealed };
    await channels.save(channel);
    noteChange({ after: settingsOf(channel) });
  }
}

/** Throws when the secret is missing, is none, or would go to somebody it was not entered for. */
function refuseSecret({ target }: ChannelInput, secret: string | null | undefined, before: Channel | null): void {
  const name = kindTexts[target.kind].secret;
  if (before && before.target.kind !== target.kind) {
    throw fault("invalid", "A channel keeps its kind. Make another one.", { field: "target.kind" });
  }
  if (typeof secret === "string") {
    const problem = secretProblem(target.kind, secret);
    if (problem !== null) throw fault("invalid", `${name}: ${problem}`, { field: "secret" });
  }
  const kept = secret === undefined && before !== null && before.sealed !== null;
  if (needsSecret(target) && typeof secret !== "string" && !kept) {
    throw fault("invalid", `${name}: it is needed here`, { field: "secret" });
  }
  if (kept && sendsSecretElsewhere(before.target, target)) {
    throw fault("invalid", `${name}: enter it again, for it would go to another server than before`, {
      field: "secret",
    });
  }
}

function settingsOf({ sealed, ...channel }: Channel): Omit<ChannelView, "waiting" | "lastDelivered" | "lastError"> {
  return {
    ...channel,
    tells: [...channel.tells],
    jobIds: channel.jobIds && [...channel.jobIds],
    hasSecret: sealed !== null,
  };
}
