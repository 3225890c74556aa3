import { Ban, Check, CircleAlert, CircleDot, TriangleAlert } from "lucide-react";
import { cn } from "./class-names";

export type PhaseStep = {
  name: string;
  /** What it took, or when it was; empty before its turn. */
  value: string;
  state: "done" | "now" | "next" | "failed" | "missed" | "stopped" | "skipped";
};

const looks = {
  done: "border-accent text-ink",
  now: "border-frozen text-ink",
  next: "border-line text-faint",
  skipped: "border-line text-faint",
  failed: "border-loss text-ink",
  missed: "border-write text-ink",
  stopped: "border-edge text-ink",
};
const words = {
  done: "done",
  now: "under way",
  next: "not yet",
  skipped: "not done",
  failed: "failed",
  missed: "missed",
  stopped: "stopped",
};

/** The phases of a run in order: which are done, which is under way, what each took. */
export function PhaseBar({ steps }: { steps: readonly PhaseStep[] }) {
  return (
    <ol aria-label="Phases" className="grid grid-cols-2 gap-x-1.5 gap-y-3 xs:grid-cols-4 md:flex">
      {steps.map((step) => (
        <li
          key={step.name}
          aria-current={step.state === "now" ? "step" : undefined}
          className={cn("min-w-0 flex-1 border-t-3 pt-2 text-[0.78rem]", looks[step.state])}
        >
          <span className="flex items-center gap-1.5">
            {step.state === "done" && <Check className="size-3.5 shrink-0 text-accent" aria-hidden />}
            {step.state === "now" && (
              <CircleDot className="size-3.5 shrink-0 animate-breathe text-frozen" aria-hidden />
            )}
            {step.state === "failed" && <CircleAlert className="size-3.5 shrink-0 text-loss" aria-hidden />}
            {step.state === "missed" && <TriangleAlert className="size-3.5 shrink-0 text-write" aria-hidden />}
            {step.state === "stopped" && <Ban className="size-3.5 shrink-0 text-mute" aria-hidden />}
            {step.name}
            <span className="sr-only">: {words[step.state]}</span>
          </span>
          <span className="mt-0.5 block min-h-[1.3em] font-mono text-mute text-xs">{step.value}</span>
        </li>
      ))}
    </ol>
  );
}
