/** The longest times without a write, from rows in the order of time. */
import { isQuiet } from "./activity";
import type { Rollup } from "./rollup";

const ADJACENT_MS = 1;

export interface QuietGap {
  fromMs: number;
  lengthMs: number;
  /** Nobody has written since. */
  open: boolean;
}

/**
 * At most `most`, the longest first, none shorter than `leastMs`. Gaps that go over the ends of rows are whole; of
 * those within one row the longest is known.
 */
export function longestGaps(rows: readonly Rollup[], most: number, leastMs: number): QuietGap[] {
  const gaps: QuietGap[] = [];
  let running: { fromMs: number; lengthMs: number } | null = null;
  let endMs = Number.NEGATIVE_INFINITY;
  const end = () => {
    if (running !== null) gaps.push({ ...running, open: false });
    running = null;
  };
  for (const { activity: a } of rows) {
    if (Math.abs(a.fromMs - endMs) > ADJACENT_MS) end();
    endMs = a.toMs;
    if (isQuiet(a)) {
      const before: { fromMs: number; lengthMs: number } = running ?? { fromMs: a.fromMs, lengthMs: 0 };
      running = { ...before, lengthMs: before.lengthMs + a.quietHeadMs };
      continue;
    }
    const head: { fromMs: number; lengthMs: number } = running ?? { fromMs: a.fromMs, lengthMs: 0 };
    running = { ...head, lengthMs: head.lengthMs + a.quietHeadMs };
    end();
    if (a.quietLongestMs > Math.max(a.quietHeadMs, a.quietTailMs)) {
      gaps.push({ fromMs: a.quietLongestFromMs, lengthMs: a.quietLongestMs, open: false });
    }
    running = { fromMs: a.toMs - a.quietTailMs, lengthMs: a.quietTailMs };
  }
  if (running !== null) gaps.push({ ...(running as { fromMs: number; lengthMs: number }), open: true });
  return gaps
    .filter((gap) => gap.lengthMs >= leastMs)
    .sort((a, b) => b.lengthMs - a.lengthMs || a.fromMs - b.fromMs)
    .slice(0, most);
}
