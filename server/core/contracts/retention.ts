/** Which backups of a job stay in its repository. */
import { z } from "zod";

const count = z
  .number("must be a whole number")
  .int("must be a whole number")
  .min(0, "must not be less than 0")
  .max(9999, "must be at most 9999")
  .default(0);

export const retentionPeriods = ["last", "daily", "weekly", "monthly", "yearly"] as const;
export type RetentionPeriod = (typeof retentionPeriods)[number];

export const retentionSchema = z
  .object({
    /** The newest so many. */
    last: count,
    /** Of so many days, weeks, … that have a backup, the newest of each. */
    daily: count,
    weekly: count,
    monthly: count,
    yearly: count,
    /** Frees the room of what was removed at once; else the repository only forgets it. */
    prune: z.boolean().default(false),
  })
  .strict()
  .refine((policy) => retentionPeriods.some((period) => policy[period] > 0), {
    path: ["last"],
    error: "keep at least one: with no number above 0 every backup would be removed",
  });
export type Retention = z.infer<typeof retentionSchema>;
