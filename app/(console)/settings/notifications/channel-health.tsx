import { BellOff, Circle, CircleAlert, CircleCheck, type LucideIcon } from "lucide-react";
import { cn } from "@/app/components/class-names";
import { Ago } from "@/app/components/time";
import type { ChannelView } from "@/server/core/contracts/notifications";

/** How the last attempts went; a failure only until something arrived after it. */
export function ChannelHealth({ channel }: { channel: ChannelView }) {
  const { enabled, lastDelivered, lastError, waiting } = channel;
  const failing = lastError !== null && (lastDelivered === null || lastDelivered.at < lastError.at);
  return (
    <div className="min-w-0 text-[0.8125rem] sm:max-w-[60%] sm:text-right">
      {!enabled ? (
        <Mark icon={BellOff} tone="text-mute" word="Switched off" />
      ) : failing ? (
        <Mark icon={CircleAlert} tone="text-loss-ink" word="Failing" />
      ) : lastDelivered ? (
        <Mark icon={CircleCheck} tone="text-accent" word="Working" />
      ) : (
        <Mark icon={Circle} tone="text-mute" word="Not used yet" />
      )}
      {failing && (
        <p className="text-mute">
          <span className="wrap-anywhere font-mono text-xs">{lastError.error}</span>, <Ago at={lastError.at} />
        </p>
      )}
      {lastDelivered && (
        <p className="text-mute">
          Last delivery <Ago at={lastDelivered.at} />
        </p>
      )}
      {waiting > 0 && <p className="text-mute">{waiting === 1 ? "1 message waits" : `${waiting} messages wait`}</p>}
    </div>
  );
}

function Mark({ icon: Icon, tone, word }: { icon: LucideIcon; tone: string; word: string }) {
  return (
    <span className={cn("inline-flex items-center gap-1.5 whitespace-nowrap", tone)}>
      <Icon className="size-4 shrink-0" aria-hidden />
      {word}
    </span>
  );
}
