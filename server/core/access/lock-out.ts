/**
 * When wrong passwords and codes make somebody wait: a few are free, then each makes the wait twice as long, up to a
 * limit. Counted by account and by client address. An attempt counts before it is judged, so that many at once
 * cannot all pass; a right one is taken back.
 */
export type Attempts = { failures: number; lastAt: Date; lockedUntil: Date | null };
export type LockOutRule = { free: number };

/** An address may be that of many people. */
export const lockOutRules = { account: { free: 5 }, address: { free: 20 } } as const satisfies Record<
  string,
  LockOutRule
>;

const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** Attempts so long ago do not count any more. */
export const FORGOTTEN_AFTER_MS = 60 * 60_000;

/** How long nobody may try after so many failures, in milliseconds. */
export function waitAfter({ free }: LockOutRule, failures: number): number {
  return failures < free ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - free, 10));
}

/** How long is still to wait, in milliseconds; 0: an attempt is allowed. */
export function waitLeft(before: Attempts | null, now: Date): number {
  return Math.max(0, (before?.lockedUntil?.getTime() ?? 0) - now.getTime());
}

/** With one more attempt, which may turn out to be wrong. */
export function counted(before: Attempts | null, rule: LockOutRule, now: Date): Attempts {
  const recent = before !== null && now.getTime() - before.lastAt.getTime() < FORGOTTEN_AFTER_MS;
  const failures = (recent ? before.failures : 0) + 1;
  const wait = waitAfter(rule, failures);
  return { failures, lastAt: now, lockedUntil: wait > 0 ? new Date(now.getTime() + wait) : null };
}
