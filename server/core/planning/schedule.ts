/**
 * The times of a schedule. The calendar arithmetic is croner's, which holds these rules where clocks change:
 *
 * - A time of day that does not exist (02:30 when the clock goes from 02:00 to 03:00) comes at the change itself.
 * - A time of day that exists twice comes once, the first time. Only "every hour" comes both times.
 *
 * It holds the second rule for a single time only, so every time of a schedule has a calendar of its own.
 */
import { Cron } from "croner";
import type { Schedule } from "../contracts/schedule";
import { type Weekday, weekdays } from "./weekdays";

const SECOND_MS = 1000;

/** Strictly after; null when there is none. */
export function nextStart(schedule: Schedule, zone: string, after: Date): Date | null {
  return earliest(calendars(schedule, zone).map((calendar) => calendar.nextRun(after)));
}

/** At or before; null when there is none. */
export function lastStart(schedule: Schedule, zone: string, at: Date): Date | null {
  const beyond = new Date(Math.floor(at.getTime() / SECOND_MS) * SECOND_MS + SECOND_MS);
  const found = calendars(schedule, zone).flatMap((calendar) => calendar.previousRuns(1, beyond));
  return found.reduce<Date | null>((last, one) => (last === null || one > last ? one : last), null);
}

/** The next ones, at most `count`. */
export function nextStarts(schedule: Schedule, zone: string, after: Date, count: number): Date[] {
  const found: Date[] = [];
  for (let at = nextStart(schedule, zone, after); at !== null && found.length < count; ) {
    found.push(at);
    at = nextStart(schedule, zone, at);
  }
  return found;
}

/** Why a schedule of the right shape still cannot be: a cron expression that means nothing, or a day that never comes. */
export function scheduleProblem(schedule: Schedule, zone: string, now: Date): string | null {
  try {
    return nextStart(schedule, zone, now) === null ? "no day fits this" : null;
  } catch (error) {
    return (error as Error).message.replace(/^CronPattern: /, "");
  }
}

function calendars(schedule: Schedule, zone: string): Cron[] {
  return patterns(schedule).map((pattern) => new Cron(pattern, { timezone: zone, paused: true, mode: "5-part" }));
}

function patterns(schedule: Schedule): string[] {
  switch (schedule.kind) {
    case "hourly": {
      const { everyHours, minute } = schedule;
      if (everyHours === 1) return [`${minute} * * * *`];
      return Array.from({ length: 24 / everyHours }, (_, i) => `${minute} ${i * everyHours} * * *`);
    }
    case "daily":
      return schedule.times.map((time) => `${clock(time)} * * ${schedule.days.map(dayNumber).join(",")}`);
    case "monthly":
      return [`${clock(schedule.time)} ${schedule.day === "last" ? "L" : schedule.day} * *`];
    case "cron":
      return [schedule.expression];
  }
}

/** `22:05` → `5 22`. */
function clock(time: string): string {
  const [hour, minute] = time.split(":");
  return `${Number(minute)} ${Number(hour)}`;
}

const dayNumber = (day: Weekday): number => weekdays.indexOf(day) + 1;

function earliest(times: (Date | null)[]): Date | null {
  return times.reduce((first, one) => (first === null || (one !== null && one < first) ? one : first), null);
}
