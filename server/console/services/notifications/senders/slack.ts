import type { Message, Severity } from "@/server/core/contracts/notifications";
import type { Answer } from "./answer";
import { httpPost } from "./http-post";

const colors: Record<Severity, string> = {
  failed: "#c2362b",
  warning: "#b7791f",
  recovered: "#1f8a5b",
  succeeded: "#1f8a5b",
};

/** An incoming webhook's attachment: the form that Slack, Mattermost and Rocket.Chat all show. */
export function sendSlack(
  url: string,
  { severity, title, lines, link }: Message,
  signal: AbortSignal,
): Promise<Answer> {
  const attachment = {
    fallback: escaped(title),
    title: escaped(title),
    title_link: link,
    text: escaped(lines.join("\n")),
    ...(severity && { color: colors[severity] }),
  };
  return httpPost({ url, headers: {}, body: JSON.stringify({ attachments: [attachment] }) }, signal);
}

/** A job's name must not become a mention or a link. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
