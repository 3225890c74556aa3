"use client";
import { asSentence } from "@/app/components/format";
import { ProgressBar } from "@/app/components/progress-bar";
import { useNow } from "@/app/components/zone";
import type { RunEvent } from "@/server/core/contracts/run";
import { quietWait, quietWaitWords, waitedFor } from "@/server/core/runs/quiet-wait";

/** While the run waits for a quiet window: the longest gap against the one that is wanted, and how long it may yet wait. */
export function QuietProgress({ events }: { events: readonly RunEvent[] }) {
  const now = useNow(1000);
  const wait = quietWait(events);
  if (wait === null || now === null) return null;
  const waitedMs = waitedFor(wait, now);
  return (
    <div className="mt-3">
      <ProgressBar share={wait.timeoutMs > 0 ? waitedMs / wait.timeoutMs : 1} label="Time waited for a quiet window" />
      <p className="mt-1 text-mute text-xs">{asSentence(quietWaitWords(wait, waitedMs))}</p>
    </div>
  );
}
