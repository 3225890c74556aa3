import { expect, test } from "vitest";
import { type Allowance, KEY_RATE, spend } from "@/server/core/access/key-rate";

/** How many of `times` requests pass, one each `everyMs`. */
function passing(times: number, everyMs: number): number {
  let allowance: Allowance | null = null;
  let passed = 0;
  for (let i = 0; i < times; i++) {
    const { next, waitMs } = spend(allowance, 1_000 + i * everyMs);
    allowance = next;
    if (waitMs === 0) passed += 1;
  }
  return passed;
}

test("so many at once pass, and then so many a second, for as long as it goes on", () => {
  const { atOnce, perSecond } = KEY_RATE;
  expect(passing(3 * atOnce, 0)).toBe(atOnce);
  expect(passing(2_000, 1000 / perSecond)).toBe(2_000);
  // Twice as fast as allowed: half of them, besides those that were free at first.
  expect(passing(4_000, 500 / perSecond)).toBeLessThanOrEqual(2_000 + atOnce);
});

test("who waits as long as they are told is let in", () => {
  let allowance: Allowance | null = null;
  for (let i = 0; i < KEY_RATE.atOnce; i++) allowance = spend(allowance, 0).next;
  const refused = spend(allowance, 40);
  expect(refused.waitMs).toBe(1000 / KEY_RATE.perSecond - 40);
  expect(spend(refused.next, 40 + refused.waitMs).waitMs).toBe(0);
});

test("a clock that goes back gives nothing", () => {
  const { next } = spend({ left: 0.5, at: 10_000 }, 0);
  expect(next.left).toBe(0.5);
});
