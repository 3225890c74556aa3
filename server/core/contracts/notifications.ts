/** Notifications: where they go, what is told, and what became of each. */
import { z } from "zod";
import { emailSchema } from "./accounts";
import { errorCodeSchema } from "./error-code";
import { displayName } from "./job";
import { instant } from "./time";

/** What the end of a run is worth telling. `recovered`: well again after a failure or a warning. */
export const severitySchema = z.enum(["failed", "warning", "recovered", "succeeded"]);
export type Severity = z.infer<typeof severitySchema>;
export const severities = severitySchema.options;

const MOST_RECIPIENTS = 20;
const MOST_QUIET_MINUTES = 7 * 24 * 60;

/** Names and passwords in an address end up in logs: they have fields of their own. */
const httpUrl = z
  .url({ protocol: /^https?$/, error: "must be an http or https address" })
  .max(2048, "must be at most 2048 characters")
  .refine((text) => !/^[^/]*\/\/[^/]*@/.test(text), { error: "must not hold a name or password" });

const hostname = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(253, "must be at most 253 characters")
  .regex(/^[A-Za-z0-9._:-]+$/, "must be a host's name or address");

export const targetSchema = z.discriminatedUnion("kind", [
  z
    .object({
      kind: z.literal("email"),
      host: hostname,
      port: z.number("must be a number").int().min(1, "must be 1 to 65535").max(65_535, "must be 1 to 65535"),
      /** `tls` from the first byte (465), `starttls` required (587), or none (25). */
      security: z.enum(["tls", "starttls", "none"]),
      /** Null: without signing in. The password is the channel's secret. */
      user: z.string().trim().min(1).max(254).nullable(),
      from: emailSchema,
      to: z.array(emailSchema).min(1, "name at least one recipient").max(MOST_RECIPIENTS),
    })
    .refine(({ user, security, host }) => user === null || security !== "none" || isLoopback(host), {
      path: ["security"],
      error: "a password is sent over TLS or STARTTLS only",
    }),
  /** The secret signs: `whsec_` and 24 to 64 bytes in base64 (Standard Webhooks). */
  z.object({ kind: z.literal("webhook"), url: httpUrl }),
  /** The secret is an access token, where the server wants one. */
  z.object({
    kind: z.literal("ntfy"),
    server: httpUrl,
    topic: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, - or _"),
  }),
  /** The secret is the whole address: who knows it can write there. */
  z.object({ kind: z.literal("slack") }),
]);
export type Target = z.infer<typeof targetSchema>;
export type ChannelKind = Target["kind"];

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

const channelFields = {
  name: displayName,
  enabled: z.boolean(),
  target: targetSchema,
  tells: z.array(severitySchema).min(1, "choose at least one"),
  /** Null: every job. */
  jobIds: z.array(z.string().min(1)).min(1, "choose at least one job").max(1000).nullable(),
  /** The same failure of the same job is not told again for so long. 0: every one is told. */
  quietMinutes: z
    .number("must be a number")
    .int()
    .min(0, "must not be negative")
    .max(MOST_QUIET_MINUTES, "must be at most 7 days"),
};

const secret = z.string().min(1, "must not be empty").max(2048, "must be at most 2048 characters");

/** `secret` is write-only: absent keeps the one that is stored, null removes it. */
export const channelInputSchema = z.object({ ...channelFields, secret: secret.nullable().optional() }).strict();
export type ChannelInput = z.infer<typeof channelInputSchema>;

/** What is told of the end of a run; also the data of a webhook. */
export const messageSchema = z.object({
  severity: severitySchema.nullable(),
  title: z.string(),
  /** Sentences, one an entry. */
  lines: z.array(z.string()),
  at: instant,
  /** The run's page. */
  link: z.string(),
  job: z.object({ id: z.string(), name: z.string() }).nullable(),
  host: z.string().nullable(),
  run: z
    .object({
      id: z.string(),
      number: z.number().int(),
      state: z.string(),
      startedAt: instant.nullable(),
      endedAt: instant.nullable(),
    })
    .nullable(),
  code: errorCodeSchema.nullable(),
  /** How many more of the same were not told. */
  untold: z.number().int().nonnegative(),
});
export type Message = z.infer<typeof messageSchema>;

export const deliveryStateSchema = z.enum(["waiting", "delivered", "failed"]);
export type DeliveryState = z.infer<typeof deliveryStateSchema>;

export const deliveryViewSchema = z.object({
  id: z.string(),
  channel: z.object({ id: z.string(), name: z.string() }),
  title: z.string(),
  severity: severitySchema.nullable(),
  state: deliveryStateSchema,
  attempts: z.number().int(),
  createdAt: instant,
  nextAttemptAt: instant.nullable(),
  deliveredAt: instant.nullable(),
  /** The receiver's words, or why it could not be reached. */
  answer: z.string().nullable(),
  failedAt: instant.nullable(),
  error: z.string().nullable(),
});
export type DeliveryView = z.infer<typeof deliveryViewSchema>;

export const channelViewSchema = z.object({
  id: z.string(),
  ...channelFields,
  /** The target in a line, without what is secret. */
  receiver: z.string(),
  hasSecret: z.boolean(),
  /** Messages under way. */
  waiting: z.number().int(),
  lastDelivered: z.object({ at: instant, title: z.string(), answer: z.string() }).nullable(),
  lastError: z.object({ at: instant, title: z.string(), error: z.string() }).nullable(),
});
export type ChannelView = z.infer<typeof channelViewSchema>;

/** A channel as everybody may see it who sees the job that it tells of. */
export const jobChannelSchema = z.object({
  name: z.string(),
  tells: channelFields.tells,
  /** Its last message was not delivered. */
  failing: z.boolean(),
});
export type JobChannel = z.infer<typeof jobChannelSchema>;

/** What the receiver said to a test message. */
export const testResultSchema = z.object({ ok: z.boolean(), answer: z.string() });
export type TestResult = z.infer<typeof testResultSchema>;
