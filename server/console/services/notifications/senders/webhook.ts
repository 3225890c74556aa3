/**
 * A webhook as Standard Webhooks (standardwebhooks.com) describes it, so that receivers verify it with a library of
 * theirs. `webhook-signature` is HMAC-SHA256 over `<id>.<timestamp>.<body>`; a receiver refuses old timestamps, and
 * knows by the id what it already has: after a restart of the console a message may come twice.
 */
import { createHmac } from "node:crypto";
import type { Message } from "@/server/core/contracts/notifications";
import { signingKey } from "@/server/core/notifications/target";
import type { Answer } from "./answer";
import { httpPost } from "./http-post";

export function sendWebhook(
  url: string,
  secret: string,
  id: string,
  message: Message,
  signal: AbortSignal,
): Promise<Answer> {
  const { severity, at, ...data } = message;
  const type = severity === null ? "test" : `run.${severity}`;
  const body = JSON.stringify({ type, timestamp: at, data });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${sign(secret, `${id}.${timestamp}.${body}`)}`,
  };
  return httpPost({ url, headers, body }, signal);
}

/** Throws when the secret is none (it was checked when it was entered). */
function sign(secret: string, content: string): string {
  const key = signingKey(secret);
  if (key === null) throw new Error("the signing secret is not valid");
  return createHmac("sha256", Buffer.from(key, "base64")).update(content).digest("base64");
}
