import { formatPercent } from "./format";

type ProgressBarProps = { share: number; label: string };

export function ProgressBar({ share, label }: ProgressBarProps) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(share * 100)}
      aria-valuetext={formatPercent(share)}
      className="h-1.5 overflow-hidden rounded-full bg-line"
    >
      <div
        className="h-full rounded-full bg-frozen transition-[width] duration-300"
        style={{ width: `${Math.min(1, share) * 100}%` }}
      />
    </div>
  );
}
