import { cn } from "./class-names";
import { formatPercent } from "./format";

type MeterProps = {
  value: number;
  max: number;
  /** What is measured, for assistive technology. */
  label: string;
  tone?: "accent" | "frozen" | "loss" | "write" | "neutral";
  className?: string;
};

const fills = {
  accent: "bg-cache",
  frozen: "bg-frozen",
  loss: "bg-loss",
  write: "bg-write",
  neutral: "bg-edge",
};

/** A bar of a part in a whole. The exact figures stand beside it as text. */
export function Meter({ value, max, label, tone = "neutral", className }: MeterProps) {
  const share = max > 0 ? Math.min(1, value / max) : 0;
  return (
    <span className={cn("block h-1.5 w-full overflow-hidden rounded-full bg-line", className)}>
      <span className="sr-only">{`${label}: ${formatPercent(share)}`}</span>
      <span
        aria-hidden
        className={cn("block h-full rounded-full", fills[tone])}
        style={{ width: `${share * 100}%`, minWidth: value > 0 ? 2 : 0 }}
      />
    </span>
  );
}
