type SparkProps = {
  /** Oldest first, evenly spaced. */
  values: readonly number[];
  /** How many values fill the width. */
  length: number;
  label: string;
};

const COLUMN = 3;
const HEIGHT = 22;

/** The last minute or so as ticks, the newest at the right; scaled by its own largest value. */
export function Spark({ values, length, label }: SparkProps) {
  const shown = values.slice(-length);
  const most = Math.max(1, ...shown);
  const start = length - shown.length;
  const path = shown
    .map((value, index) =>
      value <= 0
        ? ""
        : `M${(start + index) * COLUMN + 1.5} ${HEIGHT}v${-(2 + Math.sqrt(value / most) * (HEIGHT - 3)).toFixed(1)}`,
    )
    .join("");
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${length * COLUMN} ${HEIGHT}`}
      width={length * COLUMN}
      height={HEIGHT}
      className="block max-w-full"
      preserveAspectRatio="none"
    >
      <path d={`M0 ${HEIGHT - 0.5}H${length * COLUMN}`} stroke="var(--line)" />
      <path d={path} stroke="var(--write)" strokeWidth={1.6} fill="none" />
    </svg>
  );
}
