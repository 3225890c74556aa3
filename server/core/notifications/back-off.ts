/** When a message that did not arrive is tried again. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waiting times after the first, second, … failed attempt; after the last of them it is given up, half a day on. */
const delays = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR];

const LONGEST_ASKED_MS = HOUR;

/**
 * Milliseconds until the next attempt, after `attempts` failed ones; null: no more. `askedMs`: how long the receiver
 * itself asked to be left alone, heeded up to an hour.
 */
export function delayAfter(attempts: number, askedMs: number | null): number | null {
  const delay = delays[attempts - 1];
  return delay === undefined ? null : Math.max(delay, Math.min(askedMs ?? 0, LONGEST_ASKED_MS));
}
