/** A job's schedule as options: `--schedule "mon,thu 22:00" --time-zone Europe/Berlin --grace 120`. */
import type { z } from "zod";
import type { Schedule, scheduleSchema } from "@/server/core/contracts/schedule";
import { type Weekday, weekdays } from "@/server/core/planning/weekdays";
import { usageFailure } from "./failure";

export interface ScheduleOptions {
  schedule?: string;
  timeZone?: string;
  /** Minutes. */
  grace?: number;
}

type When = z.input<typeof scheduleSchema>;

export const scheduleForms = `"daily 02:00,14:00", "weekdays 22:00", "mon,thu 22:00", "every 6h", "every 6h :15", "monthly 1 03:00", "monthly last 03:00", "cron 0 2 * * 1-5"`;

/** Null: none. What the words mean is checked by the console; only what has no meaning is refused here. */
export function scheduleOf({ schedule, timeZone, grace }: ScheduleOptions): When | null {
  if (schedule === undefined) {
    if (timeZone !== undefined || grace !== undefined) throw usageFailure("--time-zone and --grace need a --schedule");
    return null;
  }
  return {
    ...when(schedule.trim().replace(/\s+/g, " ")),
    ...(timeZone !== undefined && { zone: timeZone }),
    ...(grace !== undefined && { graceMinutes: grace }),
  };
}

function when(text: string): When {
  const [first = "", ...rest] = text.split(" ");
  const word = first.toLowerCase();
  const [second = "", third = ""] = rest;
  if (word === "cron" && rest.length === 5) return { kind: "cron", expression: rest.join(" ") };
  if (word === "every" && rest.length <= 2) {
    const hours = /^(\d+)h$/.exec(second);
    const minute = /^:(\d\d)$/.exec(third || ":00");
    // Which steps there are is the contract's to say.
    if (hours && minute) {
      const everyHours = Number(hours[1]) as (Schedule & { kind: "hourly" })["everyHours"];
      return { kind: "hourly", everyHours, minute: Number(minute[1]) };
    }
  }
  if (word === "monthly" && rest.length === 2 && /^(\d+|last)$/.test(second)) {
    return { kind: "monthly", day: second === "last" ? second : Number(second), time: third };
  }
  const days = daysOf(word);
  if (days !== null && rest.length === 1) return { kind: "daily", days, times: second.split(",") };
  throw usageFailure(`--schedule cannot be “${text}”. Write one of: ${scheduleForms}`);
}

function daysOf(word: string): Weekday[] | null {
  if (word === "daily") return [...weekdays];
  if (word === "weekdays") return weekdays.slice(0, 5);
  const named = word.split(",").map((name) => weekdays.find((day) => day === name));
  return named.every((day) => day !== undefined) ? named : null;
}
