/** A schedule as a person says it. */
import type { Schedule } from "../contracts/schedule";
import { dayNames, type Weekday, weekdays } from "./weekdays";

/** `daily at 02:00 and 14:00`, without the zone. Null: `not scheduled`. */
export function scheduleWords(schedule: Schedule | null): string {
  switch (schedule?.kind) {
    case undefined:
      return "not scheduled";
    case "hourly": {
      const { everyHours, minute } = schedule;
      const past = minute === 0 ? "on the hour" : `${minute} min past`;
      return everyHours === 1 ? `every hour, ${past}` : `every ${everyHours} hours, ${past}`;
    }
    case "daily":
      return `${daysInWords(schedule.days)} at ${listed([...schedule.times].sort())}`;
    case "monthly":
      return `monthly on ${schedule.day === "last" ? "the last day" : `day ${schedule.day}`} at ${schedule.time}`;
    case "cron":
      return `cron ${schedule.expression}`;
  }
}

function daysInWords(days: readonly Weekday[]): string {
  const chosen = weekdays.filter((day) => days.includes(day));
  if (chosen.length === weekdays.length) return "daily";
  if (chosen.join() === "mon,tue,wed,thu,fri") return "Monday to Friday";
  return listed(chosen.map((day) => dayNames[day]));
}

function listed(parts: readonly string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}
