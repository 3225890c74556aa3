/** A channel while it is edited: the input as it will be sent, and what is wrong with it by field. */
import {
  type ChannelInput,
  type ChannelKind,
  type ChannelView,
  channelInputSchema,
  type Target,
} from "@/server/core/contracts/notifications";
import { needsSecret } from "@/server/core/notifications/target";

export type Problems = Record<string, string>;

export const emptyTargets: Record<ChannelKind, Target> = {
  email: { kind: "email", host: "", port: 587, security: "starttls", user: null, from: "", to: [] },
  webhook: { kind: "webhook", url: "" },
  ntfy: { kind: "ntfy", server: "https://ntfy.sh", topic: "" },
  slack: { kind: "slack" },
};

const SIX_HOURS = 360;

export function draftOf(channel: ChannelView | null): ChannelInput {
  if (channel === null) {
    return {
      name: "",
      enabled: true,
      target: emptyTargets.email,
      tells: ["failed", "warning", "recovered"],
      jobIds: null,
      quietMinutes: SIX_HOURS,
    };
  }
  const { name, enabled, target, tells, jobIds, quietMinutes } = channel;
  return { name, enabled, target, tells, jobIds, quietMinutes };
}

/** The first problem of each field, by its path; lists are one field. Empty: none. */
export function problemsOf(draft: ChannelInput, hasSecret: boolean): Problems {
  const problems: Problems = {};
  for (const { path, message } of channelInputSchema.safeParse(draft).error?.issues ?? []) {
    problems[path.filter((part) => typeof part === "string").join(".")] ??= message;
  }
  if (needsSecret(draft.target) && draft.secret === undefined && !hasSecret) problems.secret ??= "must not be empty";
  return problems;
}
