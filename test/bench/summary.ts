/** Medians and ratios of what was measured, as a table. */
import type { Job } from "./fio-job";

/** `values[subject][job]`: one number a round, in the order of the rounds. */
export type Values = Map<string, Map<string, number[]>>;

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Median of the ratios to the first subject, each within its round: what slows a whole round does not count. */
function ratio(values: Values, subject: string, base: string, job: string): number | null {
  const own = values.get(subject)?.get(job);
  const other = values.get(base)?.get(job);
  if (own === undefined || other === undefined || subject === base) return null;
  return median(own.map((value, round) => value / (other[round] ?? Number.NaN)));
}

/** `115.2 ×1.98` means: median 115.2, 1.98 times the raw loop's value (microseconds: less is better; else more). */
export function table(values: Values, jobs: Job[]): string {
  const names = [...values.keys()];
  const base = names[0] ?? "";
  const rows = [["", ...names]];
  for (const job of jobs) {
    const cells = names.map((name) => {
      const own = values.get(name)?.get(job.name);
      if (own === undefined) return "–";
      const times = ratio(values, name, base, job.name);
      return `${median(own).toFixed(1)}${times === null ? "" : ` ×${times.toFixed(2)}`}`;
    });
    rows.push([`${job.name} (${job.unit})`, ...cells]);
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2))
        .join("")
        .trimEnd(),
    )
    .join("\n");
}
