/** What a channel's target says to people, and what its secret must be like. */
import type { ChannelKind, Target } from "../contracts/notifications";

export const kindTexts: Record<ChannelKind, { label: string; does: string; secret: string }> = {
  email: { label: "E-mail", does: "Sends mail through a server of yours (SMTP).", secret: "Password" },
  webhook: {
    label: "Webhook",
    does: "Posts JSON to a program of yours, signed as Standard Webhooks describes.",
    secret: "Signing secret",
  },
  ntfy: { label: "ntfy", does: "Publishes to a topic of ntfy.sh or of a server of yours.", secret: "Access token" },
  slack: {
    label: "Slack-compatible",
    does: "Posts to an incoming webhook of Slack, Mattermost, Rocket.Chat and others.",
    secret: "Webhook address",
  },
};

const SIGNING_PREFIX = "whsec_";
const SIGNING_BYTES = { min: 24, max: 64 };

/** Whether the target needs a secret at all times. */
export function needsSecret(target: Target): boolean {
  return target.kind === "webhook" || target.kind === "slack" || (target.kind === "email" && target.user !== null);
}

/** Why this cannot be the secret of a channel of this kind; null: it can. */
export function secretProblem(kind: ChannelKind, secret: string): string | null {
  if (kind === "webhook" && signingKey(secret) === null) {
    return `must be ${SIGNING_PREFIX} and ${SIGNING_BYTES.min} to ${SIGNING_BYTES.max} bytes in base64`;
  }
  if (kind === "slack" && !isHttpUrl(secret)) return "must be an http or https address";
  // It becomes a header.
  if (kind === "ntfy" && !/^[\x21-\x7e]+$/.test(secret)) return "must be letters, digits and signs without spaces";
  return null;
}

/** The base64 of the key in `whsec_…`; null where it is none. */
export function signingKey(secret: string): string | null {
  const encoded = secret.startsWith(SIGNING_PREFIX) ? secret.slice(SIGNING_PREFIX.length) : "";
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || encoded.length % 4 !== 0) return null;
  const bytes = (encoded.length / 4) * 3 - (encoded.match(/=+$/)?.[0].length ?? 0);
  return bytes >= SIGNING_BYTES.min && bytes <= SIGNING_BYTES.max ? encoded : null;
}

/** A new signing secret from 32 random bytes. */
export function signingSecretOf(bytes: Uint8Array): string {
  return SIGNING_PREFIX + btoa(String.fromCharCode(...bytes));
}

/** The target in a line, without what is secret. */
export function receiverOf(target: Target, secret: string | null): string {
  switch (target.kind) {
    case "email":
      return `${target.to.join(", ")} by ${target.host}:${target.port}`;
    case "webhook":
      return target.url;
    case "ntfy":
      return `${target.server.replace(/\/+$/, "")}/${target.topic}`;
    case "slack":
      return secret === null ? "" : new URL(secret).host;
  }
}

/** Whether a secret that was entered for `before` would now go to somebody else. A signing secret is never sent. */
export function sendsSecretElsewhere(before: Target, after: Target): boolean {
  if (before.kind === "email" && after.kind === "email") {
    return before.host !== after.host || before.port !== after.port || before.security !== after.security;
  }
  return before.kind === "ntfy" && after.kind === "ntfy" && before.server !== after.server;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
