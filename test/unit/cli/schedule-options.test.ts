import { describe, expect, test } from "vitest";
import { scheduleOf } from "@/server/cli/schedule-options";
import { scheduleSchema } from "@/server/core/contracts/schedule";
import { scheduleWords } from "@/server/core/planning/schedule-words";

describe("a schedule on the command line", () => {
  test.each([
    ["daily 02:00,14:00", "daily at 02:00 and 14:00"],
    ["weekdays 22:00", "Monday to Friday at 22:00"],
    ["mon,thu  22:00", "Monday and Thursday at 22:00"],
    ["every 6h", "every 6 hours, on the hour"],
    ["every 1h :15", "every hour, 15 min past"],
    ["monthly 1 03:00", "monthly on day 1 at 03:00"],
    ["monthly last 03:00", "monthly on the last day at 03:00"],
    ["cron 0 2 * * 1-5", "cron 0 2 * * 1-5"],
  ])("%s", (text, words) => {
    expect(scheduleWords(scheduleSchema.parse(scheduleOf({ schedule: text })))).toBe(words);
  });

  test.each([
    "",
    "nightly",
    "daily",
    "daily 02:00 03:00",
    "every 6",
    "someday 02:00",
    "cron 0 2 * *",
    "monthly x 03:00",
  ])("“%s” is refused, with what may be written", (text) => {
    expect(() => scheduleOf({ schedule: text })).toThrow(/Write one of/);
  });

  test("zone and grace belong to a schedule", () => {
    expect(scheduleOf({})).toBeNull();
    expect(() => scheduleOf({ timeZone: "UTC" })).toThrow("need a --schedule");
    expect(scheduleOf({ schedule: "daily 02:00", timeZone: "UTC", grace: 30 })).toMatchObject({
      zone: "UTC",
      graceMinutes: 30,
    });
  });
});
