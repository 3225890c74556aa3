/** Decides who is told what: of runs that ended, and of failures that were kept quiet. */
import type { Logger } from "pino";
import type { Run } from "@/server/core/contracts/run";
import { type EndFacts, messageOfEnd, messageOfRepetition } from "@/server/core/notifications/message";
import { afterQuiet, hear, type Quiet, severityOfQuiet } from "@/server/core/notifications/quiet-repetition";
import { severityOf } from "@/server/core/notifications/severity";
import type { EndedRunStore, NewMessage } from "../../data/ended-runs";
import type { ChannelStore } from "../../data/notification-channels";
import type { Hosts } from "../hosts/hosts";

type Parts = { ended: EndedRunStore; channels: ChannelStore; hosts: Hosts; origin: string; log: Logger };

export class Planner {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Turns what is waiting into messages. One run that cannot be read holds up no other. */
  async plan(): Promise<void> {
    const { ended, log } = this.#parts;
    for (const quiet of await ended.quietsOver(new Date())) await this.#quietOver(quiet);
    for (const run of await ended.list()) {
      await this.#ended(run).catch((error) =>
        log.error({ err: error, runId: run.id }, "a run’s end could not be told"),
      );
    }
  }

  /** When a quiet is over; null: none is on. */
  nextAt(): Promise<Date | null> {
    return this.#parts.ended.nextQuietEnd();
  }

  async #ended(run: Run): Promise<void> {
    const { ended, channels } = this.#parts;
    const severity = severityOf(run.state, await ended.stateBefore(run));
    const quiets = await ended.quietsOf(run.job.id);
    const at = new Date();
    if (severity === null) return ended.considered(run, [], quiets, at);
    const facts = await this.#facts(run.id, at);
    const messages: NewMessage[] = [];
    const next: Quiet[] = [];
    for (const channel of await channels.list()) {
      const own = quiets.filter(({ channelId }) => channelId === channel.id);
      const ending = { runId: run.id, jobId: run.job.id, severity, code: run.code };
      const heard = hear(channel, ending, own, at.getTime());
      next.push(...heard.quiets);
      if (!heard.tell || !facts) continue;
      const { channelId, untold } = heard.tell;
      messages.push({ channelId, message: messageOfEnd(facts, severity, untold) });
    }
    await ended.considered(run, messages, next, at);
  }

  async #quietOver(quiet: Quiet): Promise<void> {
    const { ended, channels } = this.#parts;
    const at = new Date();
    const channel = await channels.find(quiet.channelId);
    // With the channel goes its quiet.
    if (!channel) return;
    const { tell, quiet: next } = afterQuiet(channel, quiet, at.getTime());
    const facts = tell && (await this.#facts(quiet.lastRunId, at));
    const messages = facts
      ? [{ channelId: tell.channelId, message: messageOfRepetition(facts, severityOfQuiet(quiet), tell.untold) }]
      : [];
    await ended.quietEnded(quiet, messages, next, at);
  }

  async #facts(runId: string, at: Date): Promise<EndFacts | null> {
    const { ended, hosts, origin } = this.#parts;
    const facts = await ended.facts(runId);
    if (!facts) return null;
    const { name } = await hosts.get(facts.run.hostId);
    return { ...facts, host: name, origin, at: at.toISOString() };
  }
}
