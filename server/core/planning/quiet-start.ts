/** A schedule that starts where its volumes rest longest: the days of the one there is, at another hour. */
import type { Schedule } from "../contracts/schedule";
import { type QuietBy, type QuietHour, quietestOfDays, quietHours } from "../history/quiet-hours";
import type { WeekHour } from "../history/week";
import { weekdays } from "./weekdays";

export type QuietStart = { ok: true; schedule: Schedule; hour: QuietHour } | { ok: false; reason: string };

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];

/** `weeks`: of each volume, in the zone of the schedule. A job without a schedule gets the best hour of the week. */
export function quietStart(
  schedule: Schedule | null,
  weeks: readonly (readonly WeekHour[])[],
  by: QuietBy,
): QuietStart {
  const fixed = whyFixed(schedule);
  if (fixed !== null) return { ok: false, reason: fixed };
  const days = schedule?.kind === "daily" ? schedule.days.map((day) => weekdays.indexOf(day)) : EVERY_DAY;
  const hour = schedule === null ? (quietHours(weeks, 1, by)[0] ?? null) : quietestOfDays(weeks, days, by);
  if (hour === null) {
    return {
      ok: false,
      reason: "These volumes were not measured for long enough: no hour is known to be a quiet one.",
    };
  }
  const next = at(schedule, hour.hour);
  if (JSON.stringify(next) === JSON.stringify(schedule)) {
    return { ok: false, reason: "The job starts at its quietest hour already." };
  }
  return { ok: true, schedule: next, hour };
}

function whyFixed(schedule: Schedule | null): string | null {
  if (schedule?.kind === "hourly") return "The job runs every few hours; there is no one hour to move it to.";
  if (schedule?.kind === "cron") return "The job's times are a cron expression, which is for a person to change.";
  if (schedule?.kind === "daily" && schedule.times.length > 1) {
    return "The job runs several times a day; there is no one hour to move it to.";
  }
  return null;
}

function at(schedule: Schedule | null, hour: number): Schedule {
  const time = `${String(hour % 24).padStart(2, "0")}:00`;
  if (schedule?.kind === "daily") return { ...schedule, times: [time] };
  if (schedule?.kind === "monthly") return { ...schedule, time };
  const day = weekdays[Math.floor(hour / 24)] ?? "sun";
  return { kind: "daily", times: [time], days: [day], zone: null, graceMinutes: 60 };
}
