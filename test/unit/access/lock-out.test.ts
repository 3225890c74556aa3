import { expect, test } from "vitest";
import { type Attempts, counted, lockOutRules, waitAfter, waitLeft } from "@/server/core/access/lock-out";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);

test("some attempts are free, then each doubles the wait, up to a quarter of an hour", () => {
  const waits = [4, 5, 6, 7, 8, 9, 10, 1000].map((failures) => waitAfter(lockOutRules.account, failures) / 60_000);
  expect(waits).toEqual([0, 1, 2, 4, 8, 15, 15, 15]);
  expect(waitAfter(lockOutRules.address, 19)).toBe(0);
  expect(waitAfter(lockOutRules.address, 20)).toBe(60_000);
});

test("the wait counts from the last attempt and ends by itself; the next wrong one makes a longer one", () => {
  let attempts: Attempts | null = null;
  for (let i = 0; i < 5; i++) attempts = counted(attempts, lockOutRules.account, at(i));
  expect(waitLeft(attempts, at(4))).toBe(60_000);
  expect(waitLeft(attempts, at(34))).toBe(30_000);
  expect(waitLeft(attempts, at(64))).toBe(0);
  attempts = counted(attempts, lockOutRules.account, at(64));
  expect(waitLeft(attempts, at(64))).toBe(120_000);
});

test("what is an hour old does not count", () => {
  const old = { failures: 12, lastAt: at(0), lockedUntil: at(900) };
  expect(counted(old, lockOutRules.account, at(3600))).toEqual({ failures: 1, lastAt: at(3600), lockedUntil: null });
  expect(counted(old, lockOutRules.account, at(3599)).failures).toBe(13);
  expect(waitLeft(null, at(0))).toBe(0);
});
