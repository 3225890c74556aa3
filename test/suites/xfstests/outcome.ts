/** What tests said on the devices they ran on, and where the devices differ. */

/** `tooSlow`: ended at its limit. */
export type Kind = "passed" | "failed" | "notRun" | "tooSlow";

export interface Outcome {
  kind: Kind;
  /** Why it was not run, or what went wrong; empty where it passed. */
  detail: string;
  seconds: number;
}

/** One test on every device, in their order. */
export interface Row {
  test: string;
  outcomes: Outcome[];
  /** A second time, because the first ones differed; empty otherwise. */
  repeated: Outcome[];
}

const kinds: Kind[] = ["passed", "failed", "notRun", "tooSlow"];
const words: Record<Kind, string> = { passed: "passed", failed: "failed", notRun: "not run", tooSlow: "too slow" };

export const areTheSame = (outcomes: Outcome[]): boolean => new Set(outcomes.map(({ kind }) => kind)).size <= 1;

/** `same`; `unsteady`: they differed, and not when repeated; `different`: both times. */
export function verdictOf({ outcomes, repeated }: Row): "same" | "unsteady" | "different" {
  if (areTheSame(outcomes)) return "same";
  return areTheSame(repeated) ? "unsteady" : "different";
}

/** What `check` came to with one test. `notRun` is its file that says why a test was not run, null without one. */
export function outcomeOf(exitCode: number | null, notRun: string | null, said: string, seconds: number): Outcome {
  if (exitCode === 0 && notRun !== null) return { kind: "notRun", detail: notRun.trim(), seconds };
  if (exitCode === 0) return { kind: "passed", detail: "", seconds };
  return { kind: "failed", detail: said.trim().split("\n").slice(-25).join("\n"), seconds };
}

export function rowLine(subjects: string[], { test, outcomes }: Row): string {
  const each = subjects.map((subject, at) => {
    const outcome = outcomes[at];
    return outcome ? `${subject} ${words[outcome.kind].padEnd(8)} ${outcome.seconds.toFixed(0).padStart(3)} s` : "";
  });
  return [test, ...each].join("   ");
}

/** The counts, and every test that was not the same everywhere, failed, or was too slow. */
export function summaryText(subjects: string[], rows: Row[], notBegun: string[]): string {
  const counted = subjects.map((subject, at) => {
    const counts = kinds.map((kind) => {
      const count = rows.filter(({ outcomes }) => outcomes[at]?.kind === kind).length;
      return `${count} ${words[kind]}`;
    });
    return `${subject.padEnd(20)} ${counts.join(", ")}`;
  });
  const of = (verdict: ReturnType<typeof verdictOf>) => rows.filter((row) => verdictOf(row) === verdict);
  const listed = rows.filter((row) => !row.outcomes.every(({ kind }) => kind === "passed" || kind === "notRun"));
  const told = new Set([...listed, ...of("unsteady"), ...of("different")]);
  const reasons = reasonsOf(rows);
  return [
    ...[...told].map((row) => `${verdictOf(row).padEnd(9)} ${rowLine(subjects, row)}${again(row)}`),
    ...(reasons.length > 0 ? ["not run, and why:", ...reasons] : []),
    ...counted,
    ...(notBegun[0] === undefined ? [] : [`not begun: ${notBegun.length}; --from ${notBegun[0]} goes on`]),
    `${rows.length} tests: the same ${of("same").length}, unsteady ${of("unsteady").length}, different ${of("different").length}`,
  ].join("\n");
}

const again = ({ repeated }: Row): string =>
  repeated.length === 0 ? "" : `   repeated: ${repeated.map(({ kind }) => words[kind]).join(", ")}`;

/** Most frequent first. Tests say the same thing of different paths. */
function reasonsOf(rows: Row[]): string[] {
  const counts = new Map<string, number>();
  for (const { outcomes } of rows) {
    const [first] = outcomes;
    if (first?.kind !== "notRun") continue;
    const reason = first.detail.replaceAll(/\/\S+/g, "…");
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `${String(count).padStart(5)}  ${reason}`);
}
