import {
  Ban,
  Circle,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleDot,
  CirclePause,
  type LucideIcon,
  TriangleAlert,
  Unplug,
} from "lucide-react";
import type { VolumeState } from "@/server/core/contracts/volume";
import { type RunState, stateWords } from "@/server/core/runs/state-words";
import { cn } from "./class-names";

type Look = { word: string; icon: LucideIcon; tone: string };

const GOOD = "text-accent";
const WARN = "text-write-ink";
const BAD = "text-loss-ink";
const NOW = "text-frozen-ink";
const CALM = "text-mute";

/** Every state has a word and a shape of its own; the colour only repeats them. */
const looks: Record<RunState | VolumeState, Look> = {
  queued: { word: stateWords.queued, icon: CircleDashed, tone: CALM },
  pending: { word: stateWords.pending, icon: CircleDashed, tone: CALM },
  reserving: { word: stateWords.reserving, icon: CircleDot, tone: NOW },
  preparing: { word: stateWords.preparing, icon: CircleDot, tone: NOW },
  waitingForQuiet: { word: stateWords.waitingForQuiet, icon: CirclePause, tone: NOW },
  holding: { word: stateWords.holding, icon: CirclePause, tone: NOW },
  freezing: { word: stateWords.freezing, icon: CircleDot, tone: NOW },
  snapshotted: { word: stateWords.snapshotted, icon: CircleDot, tone: NOW },
  backingUp: { word: stateWords.backingUp, icon: CircleDot, tone: NOW },
  releasing: { word: stateWords.releasing, icon: CircleDot, tone: NOW },
  done: { word: stateWords.done, icon: CircleCheck, tone: GOOD },
  succeeded: { word: stateWords.succeeded, icon: CircleCheck, tone: GOOD },
  warnings: { word: stateWords.warnings, icon: TriangleAlert, tone: WARN },
  failed: { word: stateWords.failed, icon: CircleAlert, tone: BAD },
  cancelled: { word: stateWords.cancelled, icon: Ban, tone: CALM },
  interrupted: { word: stateWords.interrupted, icon: Unplug, tone: BAD },
  attached: { word: "Attached", icon: CircleCheck, tone: GOOD },
  available: { word: "Not attached", icon: Circle, tone: CALM },
  detached: { word: "Detached", icon: CircleDashed, tone: CALM },
  unreachable: { word: "Unreachable", icon: Unplug, tone: BAD },
};

export function StateBadge({ state, className }: { state: keyof typeof looks; className?: string }) {
  const { word, icon: Icon, tone } = looks[state];
  return (
    <span className={cn("inline-flex items-center gap-1.5 whitespace-nowrap align-middle", tone, className)}>
      <Icon className="size-4 shrink-0" aria-hidden />
      {word}
    </span>
  );
}

/** Beside the state: the snapshot was taken at the time-out of the wait for one, as the job allows. */
export function NoQuietWindow() {
  return (
    <span className="inline-flex items-center gap-1 whitespace-nowrap text-write-ink text-xs">
      <TriangleAlert className="size-3.5 shrink-0" aria-hidden />
      no quiet window
    </span>
  );
}

/** Numbers are written as in the vendor's own messages. */
export function shownCode(code: string): string {
  return /^[0-9a-f]{8}$/.test(code) ? `0x${code}` : code;
}

/** A code in its own type, as it stands in a log. */
export function CodeTag({ code, className }: { code: string; className?: string }) {
  return (
    <span
      className={cn(
        "rounded-md border border-line px-1.5 py-px font-mono text-mute text-xs whitespace-nowrap",
        className,
      )}
    >
      {shownCode(code)}
    </span>
  );
}
