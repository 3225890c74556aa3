/** Aligned columns for people: left for words, right for numbers. */
export interface Column<T> {
  title: string;
  value(row: T): string;
  right?: boolean;
}

export function formatTable<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const cells = [columns.map((c) => c.title), ...rows.map((row) => columns.map((c) => c.value(row)))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => width(line[i] ?? ""))));
  return cells
    .map((line) =>
      line
        .map((cell, i) => pad(cell, widths[i] ?? 0, columns[i]?.right ?? false))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Columns that a terminal uses: wide East Asian letters take two, combining marks none. */
function width(text: string): number {
  let columns = 0;
  for (const letter of text) {
    if (/\p{Mark}/u.test(letter)) continue;
    columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(
      letter,
    )
      ? 2
      : 1;
  }
  return columns;
}

function pad(text: string, to: number, right: boolean): string {
  const space = " ".repeat(Math.max(0, to - width(text)));
  return right ? space + text : text + space;
}
