import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/app/components/class-names";

type StepProps = {
  number: number;
  title: string;
  state: "done" | "now" | "next";
  /** What came of it, once done. */
  summary?: string;
  /** `open`: this is the step to take now. */
  children: (open: boolean) => ReactNode;
};

const words = { done: "done", now: "to do now", next: "later" };

export function Step({ number, title, state, summary, children }: StepProps) {
  const content = children(state === "now");
  return (
    <li
      aria-current={state === "now" ? "step" : undefined}
      className="grid grid-cols-[1.75rem_1fr] gap-x-3 border-line border-t px-4 py-4 first:border-0 sm:px-5"
    >
      <span
        className={cn(
          "grid size-7 place-items-center rounded-full border font-medium text-xs",
          state === "done" && "border-accent bg-accent text-on-accent",
          state === "now" && "border-accent text-accent",
          state === "next" && "border-line text-faint",
        )}
      >
        {state === "done" ? <Check className="size-4" strokeWidth={2.5} aria-hidden /> : number}
      </span>
      <div className="min-w-0">
        <h3 className={cn("pt-0.5 font-medium", state === "next" && "text-faint")}>
          {title}
          <span className="sr-only">: {words[state]}</span>
          {summary && <span className="ml-2 font-normal text-mute">{summary}</span>}
        </h3>
        {content && <div className="mt-3">{content}</div>}
      </div>
    </li>
  );
}
