/** What was measured: a number for each subject and round, ratios within a round, and rows that hold them to a target. */

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** `share` 0.99 is the value that 99 % do not exceed. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Values by subject, in the order of the rounds. */
export class Rounds {
  readonly values = new Map<string, number[]>();

  add(subject: string, value: number): void {
    this.values.set(subject, [...(this.values.get(subject) ?? []), value]);
  }

  of(subject: string): number[] {
    return this.values.get(subject) ?? [];
  }

  median(subject: string): number {
    return median(this.of(subject));
  }

  /** Median of the ratios, each within its round: what slows a whole round does not count. */
  ratio(subject: string, base: string): number {
    const bases = this.of(base);
    return median(this.of(subject).map((value, round) => value / (bases[round] ?? Number.NaN)));
  }
}

export interface Row {
  figure: string;
  unit: string;
  ours: number;
  /** Who is compared, and its value; null where there is only a limit. */
  other: { name: string; value: number } | null;
  /** Ours over the other's, median of the rounds. */
  ratio: number | null;
  target: string;
  /** Null where nothing is aimed at. */
  met: boolean | null;
  note?: string;
}

export interface Target {
  atLeast?: number;
  atMost?: number;
}

function judge(value: number, { atLeast, atMost }: Target): boolean | null {
  if (Number.isNaN(value)) return false;
  if (atLeast !== undefined) return value >= atLeast;
  return atMost === undefined ? null : value <= atMost;
}

function targetText({ atLeast, atMost }: Target, unit: string): string {
  if (atLeast !== undefined) return `≥ ${atLeast}${unit}`;
  return atMost === undefined ? "" : `≤ ${atMost}${unit}`;
}

/** A row whose target is a ratio. */
export function ratioRow(
  figure: string,
  unit: string,
  rounds: Rounds,
  [subject, base]: [string, string],
  target: Target,
): Row {
  const ratio = rounds.ratio(subject, base);
  return {
    figure,
    unit,
    ours: rounds.median(subject),
    other: { name: base, value: rounds.median(base) },
    ratio,
    target: targetText(target, " ×"),
    met: judge(ratio, target),
  };
}

/** A row whose target is a limit in its own unit; the other is only there to compare. */
export function limitRow(figure: string, unit: string, ours: number, target: Target, other: Row["other"] = null): Row {
  const ratio = other === null ? null : ours / other.value;
  return { figure, unit, ours, other, ratio, target: targetText(target, ` ${unit}`), met: judge(ours, target) };
}

const shown = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

export function table(rows: Row[]): string {
  const lines = rows.map((row) => [
    row.figure,
    `${shown(row.ours)} ${row.unit}`,
    row.other === null ? "" : `${shown(row.other.value)} ${row.other.name}`,
    row.ratio === null ? "" : `${row.ratio.toFixed(2)} ×`,
    row.target,
    row.met === null ? "" : row.met ? "met" : "MISSED",
    row.note ?? "",
  ]);
  const all = [["", "engine", "other", "ratio", "target", "", ""], ...lines];
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...all.map((line) => (line[column] ?? "").length)));
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2))
        .join("")
        .trimEnd(),
    )
    .join("\n");
}
