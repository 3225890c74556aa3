import { expect, test } from "vitest";
import { scheduleSchema } from "@/server/core/contracts/schedule";
import { judgeStart, MOST_COUNTED } from "@/server/core/planning/due-start";

const at = (text: string) => new Date(`2026-06-${text}:00Z`);
const nightly = scheduleSchema.parse({ kind: "daily", times: ["02:00"], graceMinutes: 60 });
const judge = (pending: Date | null, now: Date) => judgeStart(nightly, "UTC", pending, now);

test("before its time a start is only announced, also when none was worked out yet", () => {
  const later = { kind: "later", next: at("02T02:00") };
  expect(judge(null, at("01T12:00"))).toEqual(later);
  expect(judge(at("02T02:00"), at("01T12:00"))).toEqual(later);
});

test("a time to come is worked out anew, as after a change of the host's zone", () => {
  expect(judge(at("02T04:00"), at("01T12:00"))).toEqual({ kind: "later", next: at("02T02:00") });
});

test("at its time it is due, and stays due through its grace", () => {
  const due = { kind: "due", dueAt: at("02T02:00"), missedBefore: 0, until: at("02T03:00"), next: at("03T02:00") };
  expect(judge(at("02T02:00"), at("02T02:00"))).toEqual(due);
  expect(judge(at("02T02:00"), at("02T03:00"))).toEqual(due);
});

test("after its grace it is missed, and the schedule goes on", () => {
  expect(judge(at("02T02:00"), at("02T03:01"))).toEqual({
    kind: "missed",
    firstAt: at("02T02:00"),
    dueAt: at("02T02:00"),
    times: 1,
    next: at("03T02:00"),
  });
});

test("back after three nights and within the last one's grace: one start, which tells of the two before", () => {
  expect(judge(at("02T02:00"), at("04T02:30"))).toMatchObject({
    kind: "due",
    dueAt: at("04T02:00"),
    missedBefore: 2,
    next: at("05T02:00"),
  });
});

test("back after three nights and too late for the last one: one miss for all three, and no start", () => {
  expect(judge(at("02T02:00"), at("04T12:00"))).toMatchObject({
    kind: "missed",
    firstAt: at("02T02:00"),
    dueAt: at("04T02:00"),
    times: 3,
    next: at("05T02:00"),
  });
});

test("a start that waits gives way to the next one when that comes", () => {
  const often = scheduleSchema.parse({ kind: "hourly", everyHours: 1, minute: 0, graceMinutes: 600 });
  expect(judgeStart(often, "UTC", at("02T02:00"), at("02T03:05"))).toMatchObject({
    kind: "due",
    dueAt: at("02T03:00"),
    missedBefore: 1,
  });
});

test("misses of a year are not counted out", () => {
  const often = scheduleSchema.parse({ kind: "cron", expression: "* * * * *", graceMinutes: 1 });
  const judged = judgeStart(often, "UTC", new Date("2025-06-01T00:00:00Z"), at("01T00:00"));
  expect(judged).toMatchObject({ kind: "due", missedBefore: MOST_COUNTED });
});
