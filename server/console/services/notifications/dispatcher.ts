/**
 * Delivers what is to be told, beside everything else the console does.
 *
 * All state is in the database: a message waits there until a receiver took it or it is given up, and the time of
 * its next attempt with it, so a restart of the console loses none. An attempt that the console's end interrupts does
 * not count and is made again, so a receiver may get a message twice, and never misses one that it would have taken.
 *
 * One channel has one attempt under way at a time, oldest message first; a slow receiver holds up no other. A run's
 * end only rings a bell here: nothing of this is in the way of a run.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { delayAfter } from "@/server/core/notifications/back-off";
import type { DeliveryStore, Due } from "../../data/notification-deliveries";
import { Topic } from "../topic";
import type { Planner } from "./planner";
import type { Sender } from "./sender";

/** The longest sleep: a clock that was set is noticed by then. */
const SLEEP_MS = 10 * 60_000;
const AFTER_ERROR_MS = 30_000;

type Parts = { deliveries: DeliveryStore; planner: Planner; sender: Sender; log: Logger };

export class Dispatcher {
  readonly #parts: Parts;
  readonly #bell = new Topic();
  readonly #closing = new AbortController();
  /** Attempts under way, by channel. */
  readonly #busy = new Map<string, Promise<void>>();
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Something is to be told, or due sooner. */
  wake(): void {
    this.#bell.announce("");
  }

  /** Ends attempts under way. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the console is shutting down"));
    await this.#loop;
    await Promise.all(this.#busy.values());
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const bell = this.#bell.bell(() => true, signal);
    while (!signal.aborted) {
      const sleepMs = await this.#once().catch((error) => {
        this.#parts.log.error({ err: error }, "notifications could not be handled");
        return AFTER_ERROR_MS;
      });
      await bell.rung(sleepMs);
    }
    bell.stop();
  }

  /** Begins what is due; returns how long nothing else will be. */
  async #once(): Promise<number> {
    const { deliveries, planner, log } = this.#parts;
    const planned = await planner.plan().then(
      () => true,
      (error) => {
        log.error({ err: error }, "what is to be told could not be decided");
        return false;
      },
    );
    for (const due of await deliveries.due(new Date(), [...this.#busy.keys()])) this.#begin(due);
    const [attempt, quiet] = await Promise.all([deliveries.nextAttemptAt([...this.#busy.keys()]), planner.nextAt()]);
    if (!planned) return AFTER_ERROR_MS;
    const next = Math.min(...[attempt, quiet].map((at) => at?.getTime() ?? Number.POSITIVE_INFINITY));
    return Math.min(SLEEP_MS, Math.max(0, next - Date.now()));
  }

  #begin(due: Due): void {
    const { id } = due.channel;
    const attempt = this.#attempt(due)
      .catch(async (error) => {
        this.#parts.log.error({ err: error, channel: id }, "a delivery could not be recorded");
        // Else the message, still waiting in the database, would be sent over and over.
        await sleep(AFTER_ERROR_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
      })
      .finally(() => {
        this.#busy.delete(id);
        this.wake();
      });
    this.#busy.set(id, attempt);
  }

  async #attempt({ id, channel, message, attempts }: Due): Promise<void> {
    const { deliveries, sender, log } = this.#parts;
    const { signal } = this.#closing;
    const { ok, answer, retryAfterMs } = await sender.send(channel, id, message, signal);
    const now = new Date();
    if (ok) return deliveries.delivered(id, answer, now);
    if (signal.aborted) return;
    const delay = delayAfter(attempts + 1, retryAfterMs);
    log.warn({ channel: channel.name, answer, attempts: attempts + 1 }, "a notification did not arrive");
    await deliveries.failed(id, answer, now, delay === null ? null : new Date(now.getTime() + delay));
  }
}
