/** Hours of the week as a person at a place counts them, summer time included. */

export const weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;
export const HOURS_OF_WEEK = 168;
const HOUR_MS = 3_600_000;

const shortNames = weekdays.map((name) => name.slice(0, 3));
const formats = new Map<string, Intl.DateTimeFormat>();

/** 0: Monday from 0:00 to 1:00, at a place. */
export function hourOfWeek(atMs: number, zone: string): number {
  const parts = formatFor(zone).formatToParts(atMs);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return shortNames.indexOf(part("weekday")) * 24 + Number(part("hour"));
}

/** The same hour elsewhere, as clocks stand around `nearMs`; where they are not whole hours apart, the one it begins in. */
export function hourElsewhere(hour: number, zone: string, elsewhere: string, nearMs: number): number {
  const first = Math.floor(nearMs / HOUR_MS) * HOUR_MS;
  for (let i = 0; i <= HOURS_OF_WEEK; i += 1) {
    if (hourOfWeek(first + i * HOUR_MS, zone) === hour) return hourOfWeek(first + i * HOUR_MS, elsewhere);
  }
  return hour;
}

export function weekdayOf(hour: number): number {
  return Math.floor(hour / 24);
}

/** `Monday, 02:00 to 03:00`. */
export function hourName(hour: number): string {
  return `${weekdays[weekdayOf(hour)]}, ${clock(hour % 24)} to ${clock(((hour % 24) + 1) % 24)}`;
}

function clock(hour: number): string {
  return `${String(hour).padStart(2, "0")}:00`;
}

function formatFor(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { weekday: "short", hour: "2-digit", hourCycle: "h23", timeZone: zone });
    formats.set(zone, format);
  }
  return format;
}
