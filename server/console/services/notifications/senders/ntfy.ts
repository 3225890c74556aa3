import type { Message, Severity, Target } from "@/server/core/contracts/notifications";
import type { Answer } from "./answer";
import { httpPost } from "./http-post";

/** ntfy's scale: 1 least, 3 usual, 5 most. */
const priorities: Record<Severity, number> = { failed: 4, warning: 3, recovered: 3, succeeded: 2 };
/** Names of emoji, by ntfy's own list. */
const tags: Record<Severity, string> = {
  failed: "rotating_light",
  warning: "warning",
  recovered: "white_check_mark",
  succeeded: "white_check_mark",
};

/** Publishes as JSON, which goes to the server's root and names the topic. */
export function sendNtfy(
  { server, topic }: Target & { kind: "ntfy" },
  token: string | null,
  { severity, title, lines, link }: Message,
  signal: AbortSignal,
): Promise<Answer> {
  const body = JSON.stringify({
    topic,
    title,
    message: lines.join("\n"),
    click: link,
    ...(severity && { priority: priorities[severity], tags: [tags[severity]] }),
  });
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  return httpPost({ url: server, headers, body }, signal);
}
