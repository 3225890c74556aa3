import { describe, expect, test } from "vitest";
import { retentionSchema } from "@/server/core/contracts/retention";
import { retentionWords } from "@/server/core/planning/retention-words";

describe("which backups stay", () => {
  test.each([
    ["nothing at all", {}],
    ["nothing but zeroes", { last: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 }],
    ["less than none", { last: -1, daily: 7 }],
    ["a part of a backup", { last: 1.5 }],
    ["no number", { last: Number.NaN, daily: 7 }],
    ["more than can be meant", { last: 10_000 }],
    ["words that restic would take for an option", { last: "1 --keep-tag x" }],
    ["a period that is not known", { last: 1, hourly: 3 }],
  ])("cannot be %s", (_what, retention) => {
    expect(retentionSchema.safeParse(retention).success).toBe(false);
  });

  test.each([
    [{ last: 1 }, "the newest backup"],
    [{ last: 3, daily: 7, weekly: 4 }, "the newest 3 backups, and the newest of each of 7 days and 4 weeks"],
    [{ daily: 1, monthly: 12, yearly: 2 }, "the newest of each of 1 day, 12 months and 2 years"],
  ])("%j reads as a person says it", (retention, words) => {
    expect(retentionWords(retentionSchema.parse(retention))).toBe(words);
  });
});
