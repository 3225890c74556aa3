/**
 * How often a key may be used: a number of requests at once, and then so many a second. A program that goes on faster
 * is told when to come back; one that waits so long is let in.
 */
export const KEY_RATE = { atOnce: 600, perSecond: 10 } as const;

/** `left`: requests, with their fractions, that were free at `at`, in milliseconds. */
export type Allowance = { left: number; at: number };

/** `waitMs` of 0: the request may pass. */
export function spend(before: Allowance | null, now: number): { next: Allowance; waitMs: number } {
  const { atOnce, perSecond } = KEY_RATE;
  const grown = before ? before.left + (Math.max(0, now - before.at) * perSecond) / 1000 : atOnce;
  const left = Math.min(atOnce, grown);
  if (left >= 1) return { next: { left: left - 1, at: now }, waitMs: 0 };
  return { next: { left, at: now }, waitMs: Math.ceil(((1 - left) * 1000) / perSecond) };
}
