/** One attempt to tell one message. Never throws: what went wrong is the answer. */
import type { Message } from "@/server/core/contracts/notifications";
import type { Channel } from "../../data/notification-channels";
import type { Vault } from "../secrets/vault";
import { type Answer, answered, unreachable } from "./senders/answer";
import { sendEmail } from "./senders/email";
import { sendNtfy } from "./senders/ntfy";
import { sendSlack } from "./senders/slack";
import { sendWebhook } from "./senders/webhook";

export class Sender {
  readonly #vault: Vault;

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  seal(channelId: string, secret: string): string {
    return this.#vault.seal(secret, contextOf(channelId));
  }

  /** `id` is the delivery's: the same at each attempt. */
  async send(channel: Channel, id: string, message: Message, signal: AbortSignal): Promise<Answer> {
    let secret: string | null = null;
    try {
      secret = channel.sealed === null ? null : this.#vault.open(channel.sealed, contextOf(channel.id));
    } catch {
      return answered(false, "the stored secret cannot be opened with this console’s key: enter it again");
    }
    try {
      return withoutSecret(await this.#send(channel, secret, id, message, signal), secret);
    } catch (error) {
      return withoutSecret(unreachable(error), secret);
    }
  }

  #send({ target }: Channel, secret: string | null, id: string, message: Message, signal: AbortSignal) {
    switch (target.kind) {
      case "email":
        return sendEmail(target, secret, id, message, signal);
      case "webhook":
        return sendWebhook(target.url, secret ?? "", id, message, signal);
      case "ntfy":
        return sendNtfy(target, secret, message, signal);
      case "slack":
        return sendSlack(secret ?? "", message, signal);
    }
  }
}

const contextOf = (channelId: string): string => `notification channel ${channelId}`;

/** A receiver may repeat what it was sent. */
function withoutSecret(answer: Answer, secret: string | null): Answer {
  return secret === null ? answer : { ...answer, answer: answer.answer.replaceAll(secret, "(secret)") };
}
