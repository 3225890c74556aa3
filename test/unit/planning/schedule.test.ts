import { describe, expect, it } from "vitest";
import { type Schedule, scheduleSchema } from "@/server/core/contracts/schedule";
import { lastStart, nextStart, nextStarts, scheduleProblem } from "@/server/core/planning/schedule";
import { scheduleWords } from "@/server/core/planning/schedule-words";

const daily = (...times: string[]): Schedule => scheduleSchema.parse({ kind: "daily", times });
const hourly = (everyHours: 1 | 2 | 6, minute = 15): Schedule =>
  scheduleSchema.parse({ kind: "hourly", everyHours, minute });
const monthly = (day: number | "last"): Schedule => scheduleSchema.parse({ kind: "monthly", day, time: "03:00" });
const cron = (expression: string): Schedule => scheduleSchema.parse({ kind: "cron", expression });

const iso = (dates: Date[]) => dates.map((date) => date.toISOString().slice(0, 16));
const next = (schedule: Schedule, zone: string, after: string, count: number) =>
  iso(nextStarts(schedule, zone, new Date(after), count));

describe("where the clock changes, Europe/Berlin", () => {
  it("a time that the spring skips comes at the change, and the days around it at their own times", () => {
    expect(next(daily("02:30"), "Europe/Berlin", "2026-03-27T12:00:00Z", 3)).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
  });

  it("a time that the autumn has twice comes once, the first time", () => {
    expect(next(daily("02:30"), "Europe/Berlin", "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
    expect(lastStart(daily("02:30"), "Europe/Berlin", new Date("2026-10-25T01:45:00Z"))?.toISOString()).toBe(
      "2026-10-25T00:30:00.000Z",
    );
  });

  it("every two hours keeps to its hours of the day, also on the day of 25 hours", () => {
    expect(next(hourly(2), "Europe/Berlin", "2026-10-24T22:00:00Z", 4)).toEqual([
      "2026-10-24T22:15",
      "2026-10-25T00:15",
      "2026-10-25T03:15",
      "2026-10-25T05:15",
    ]);
    expect(next(hourly(6), "Europe/Berlin", "2026-03-28T22:30:00Z", 3)).toEqual([
      "2026-03-28T23:15",
      "2026-03-29T04:15",
      "2026-03-29T10:15",
    ]);
  });

  it("every hour is every hour, also while the clock repeats one", () => {
    expect(next(hourly(1), "Europe/Berlin", "2026-10-24T23:30:00Z", 3)).toEqual([
      "2026-10-25T00:15",
      "2026-10-25T01:15",
      "2026-10-25T02:15",
    ]);
  });
});

describe("times of a schedule", () => {
  it("come after the instant, never at it; the last one is also the instant itself", () => {
    const at = new Date("2026-06-01T02:00:00Z");
    expect(nextStart(daily("02:00"), "UTC", at)?.toISOString()).toBe("2026-06-02T02:00:00.000Z");
    expect(lastStart(daily("02:00"), "UTC", at)).toEqual(at);
    expect(lastStart(daily("02:00"), "UTC", new Date(at.getTime() - 1))?.toISOString()).toBe(
      "2026-05-31T02:00:00.000Z",
    );
  });

  it("several times a day, in their order", () => {
    expect(next(daily("14:05", "02:00"), "UTC", "2026-06-01T03:00:00Z", 3)).toEqual([
      "2026-06-01T14:05",
      "2026-06-02T02:00",
      "2026-06-02T14:05",
    ]);
  });

  it("chosen weekdays are those of the zone", () => {
    const schedule = scheduleSchema.parse({ kind: "daily", times: ["00:30"], days: ["sun"] });
    // In Tokyo it is Sunday while London still has Saturday.
    expect(next(schedule, "Asia/Tokyo", "2026-06-01T00:00:00Z", 1)).toEqual(["2026-06-06T15:30"]);
  });

  it("monthly: a day, or the last one", () => {
    expect(next(monthly(28), "UTC", "2027-01-30T00:00:00Z", 2)).toEqual(["2027-02-28T03:00", "2027-03-28T03:00"]);
    expect(next(monthly("last"), "UTC", "2027-01-30T00:00:00Z", 3)).toEqual([
      "2027-01-31T03:00",
      "2027-02-28T03:00",
      "2027-03-31T03:00",
    ]);
  });

  it("a cron expression that cannot be, or never comes, is told", () => {
    const now = new Date("2026-06-01T00:00:00Z");
    expect(scheduleProblem(cron("*/20 8-17 * * 1-5"), "UTC", now)).toBeNull();
    expect(scheduleProblem(cron("60 * * * *"), "UTC", now)).toContain("minute");
    expect(scheduleProblem(cron("0 0 30 2 *"), "UTC", now)).toBe("no day fits this");
  });
});

describe("a schedule as it is given", () => {
  it.each([
    ["no time", { kind: "daily", times: [] }],
    ["a time twice", { kind: "daily", times: ["02:00", "02:00"] }],
    ["25 o'clock", { kind: "daily", times: ["25:00"] }],
    ["no day", { kind: "daily", times: ["02:00"], days: [] }],
    ["the 31st, which not every month has", { kind: "monthly", day: 31, time: "02:00" }],
    ["every 5 hours, which does not divide a day", { kind: "hourly", everyHours: 5, minute: 0 }],
    ["seconds", { kind: "cron", expression: "* * * * * *" }],
    ["a name instead of five parts", { kind: "cron", expression: "@daily" }],
    ["an unknown zone", { kind: "daily", times: ["02:00"], zone: "Europe/Atlantis" }],
    ["no grace at all", { kind: "daily", times: ["02:00"], graceMinutes: 0 }],
  ])("is refused with %s", (_what, schedule) => {
    expect(scheduleSchema.safeParse(schedule).success).toBe(false);
  });

  it("reads as a person says it", () => {
    expect(scheduleWords(null)).toBe("not scheduled");
    expect(scheduleWords(daily("14:00", "02:00"))).toBe("daily at 02:00 and 14:00");
    expect(scheduleWords(scheduleSchema.parse({ kind: "daily", times: ["22:00"], days: ["fri", "mon"] }))).toBe(
      "Monday and Friday at 22:00",
    );
    expect(scheduleWords(hourly(6))).toBe("every 6 hours, 15 min past");
    expect(scheduleWords(monthly("last"))).toBe("monthly on the last day at 03:00");
  });
});
