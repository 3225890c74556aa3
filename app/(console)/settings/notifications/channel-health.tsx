import { BellOff, Circle, CircleAlert, CircleCheck, type LucideIcon } from "lucide-react";
import { cn } from "@/app/components/class-names";
import type { ChannelView } from "@/server/core/contracts/notifications";
import { failedLast } from "@/server/core/notifications/failed-last";

type Health = "off" | "failing" | "working" | "unused";

const looks: Record<Health, { icon: LucideIcon; tone: string; word: string }> = {
  off: { icon: BellOff, tone: "text-mute", word: "Switched off" },
  failing: { icon: CircleAlert, tone: "text-loss-ink", word: "Failing" },
  working: { icon: CircleCheck, tone: "text-accent", word: "Working" },
  unused: { icon: Circle, tone: "text-mute", word: "Not used yet" },
};

/** How the last attempt went. */
function healthOf({ enabled, lastDelivered, lastError }: ChannelView): Health {
  if (!enabled) return "off";
  if (failedLast(lastDelivered?.at ?? null, lastError?.at ?? null)) return "failing";
  return lastDelivered === null ? "unused" : "working";
}

export function ChannelHealth({ channel }: { channel: ChannelView }) {
  const { icon: Icon, tone, word } = looks[healthOf(channel)];
  return (
    <span className={cn("inline-flex items-center gap-1.5 whitespace-nowrap text-[0.8125rem]", tone)}>
      <Icon className="size-4 shrink-0" aria-hidden />
      {word}
    </span>
  );
}
