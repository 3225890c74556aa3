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
import type { Outcome, Phase, VolumeResult } from "@/server/core/contracts/run";
import type { VolumeState } from "@/server/core/contracts/volume";
import { cn } from "./class-names";

type Look = { word: string; icon: LucideIcon; tone: string };

const GOOD = "text-accent";
const WARN = "text-write-ink";
const BAD = "text-loss-ink";
const NOW = "text-frozen-ink";
const CALM = "text-mute";

/** Every state has a word and a shape of its own; the colour only repeats them. */
const looks: Record<Outcome | Phase | VolumeResult["state"] | VolumeState | "queued", Look> = {
  queued: { word: "Queued", icon: CircleDashed, tone: CALM },
  pending: { word: "Waiting", icon: CircleDashed, tone: CALM },
  reserving: { word: "Reserving caches", icon: CircleDot, tone: NOW },
  preparing: { word: "Running hooks", icon: CircleDot, tone: NOW },
  waitingForQuiet: { word: "Waiting for quiet", icon: CirclePause, tone: NOW },
  holding: { word: "Holding applications", icon: CirclePause, tone: NOW },
  freezing: { word: "Freezing", icon: CircleDot, tone: NOW },
  snapshotted: { word: "Snapshot taken", icon: CircleDot, tone: NOW },
  backingUp: { word: "Backing up", icon: CircleDot, tone: NOW },
  releasing: { word: "Releasing", icon: CircleDot, tone: NOW },
  done: { word: "Done", icon: CircleCheck, tone: GOOD },
  succeeded: { word: "Succeeded", icon: CircleCheck, tone: GOOD },
  warnings: { word: "With warnings", icon: TriangleAlert, tone: WARN },
  failed: { word: "Failed", icon: CircleAlert, tone: BAD },
  cancelled: { word: "Cancelled", icon: Ban, tone: CALM },
  interrupted: { word: "Interrupted", icon: Unplug, tone: BAD },
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
