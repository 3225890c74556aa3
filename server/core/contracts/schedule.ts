/** When a job starts by itself. Times of day are those of a time zone, also across its changes of the clock. */
import { z } from "zod";
import { weekdays } from "../planning/weekdays";

/** They divide the day, so that the hours are the same every day. */
export const hourSteps = [1, 2, 3, 4, 6, 8, 12] as const;

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time from 00:00 to 23:59");

/** A name of the IANA database, e.g. `Europe/Berlin`. */
export const timeZoneSchema = z
  .string()
  .min(1, "must not be empty")
  .max(64)
  .refine(isTimeZone, { error: "is not a time zone; an example is Europe/Berlin" });

const MINUTES_OF_A_WEEK = 7 * 24 * 60;

const always = {
  /** Null: the host's. */
  zone: timeZoneSchema.nullable().default(null),
  /** How late a run may still start when it cannot at its time; after that it counts as missed. */
  graceMinutes: z.number().int().min(1).max(MINUTES_OF_A_WEEK, "must be at most a week").default(60),
};

export const scheduleSchema = z.discriminatedUnion("kind", [
  /** From midnight on. */
  z.object({
    kind: z.literal("hourly"),
    everyHours: z.literal([...hourSteps]),
    minute: z.number().int().min(0).max(59),
    ...always,
  }),
  z.object({
    kind: z.literal("daily"),
    times: z
      .array(clockTime)
      .min(1, "name at least one time")
      .max(24, "name at most 24 times")
      .refine((times) => new Set(times).size === times.length, { error: "a time is named twice" }),
    days: z
      .array(z.enum(weekdays))
      .min(1, "choose at least one day")
      .refine((days) => new Set(days).size === days.length, { error: "a day is named twice" })
      .default([...weekdays]),
    ...always,
  }),
  /** Days that every month has. */
  z.object({
    kind: z.literal("monthly"),
    day: z.union([z.number().int().min(1).max(28), z.literal("last")]),
    time: clockTime,
    ...always,
  }),
  z.object({
    kind: z.literal("cron"),
    expression: z
      .string()
      .trim()
      .max(200, "must be at most 200 characters")
      .regex(/^[\w*,/#?-]+( +[\w*,/#?-]+){4}$/, "must have five parts: minute, hour, day, month, weekday"),
    ...always,
  }),
]);
export type Schedule = z.infer<typeof scheduleSchema>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
