import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "./class-names";

const tones = {
  info: { icon: Info, box: "border-line", mark: "text-mute", word: "Note" },
  good: { icon: CircleCheck, box: "border-accent/60", mark: "text-accent", word: "Done" },
  warn: { icon: TriangleAlert, box: "border-write/60", mark: "text-write-ink", word: "Warning" },
  loss: { icon: CircleAlert, box: "border-loss/60", mark: "text-loss-ink", word: "Problem" },
} as const;

type NoteProps = {
  tone?: keyof typeof tones;
  title?: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
  className?: string;
};

/** A message in the page: a shape and a word besides the colour. Problems are announced. */
export function Note({ tone = "info", title, children, action, className }: NoteProps) {
  const { icon: Icon, box, mark, word } = tones[tone];
  return (
    <div
      role={tone === "loss" ? "alert" : undefined}
      className={cn("flex flex-wrap gap-x-4 gap-y-2 rounded-[10px] border bg-panel px-3.5 py-3", box, className)}
    >
      <div className="flex min-w-0 flex-[1_1_16rem] gap-3">
        <Icon className={cn("mt-0.5 size-4 shrink-0", mark)} aria-label={word} />
        <div className="min-w-0">
          {title && <p className="font-semibold">{title}</p>}
          {children && <div className="wrap-anywhere text-[0.8125rem] text-mute">{children}</div>}
        </div>
      </div>
      {action && <div className="flex items-center gap-2">{action}</div>}
    </div>
  );
}
