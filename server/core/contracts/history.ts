/** What the console tells of the past of volumes. Instants are milliseconds since 1970, by their host's clock. */
import { z } from "zod";

const ms = z.number().nonnegative();

export const historyRangeSchema = z.enum(["hour", "day", "week", "months", "years"]);
export type HistoryRange = z.infer<typeof historyRangeSchema>;

export const weekHourSchema = z.object({
  hour: z.number().int(),
  measuredMs: ms,
  bytesPerSecond: z.number().nullable(),
  peakBytesPerSecond: z.number().nullable(),
  typicalQuietMs: ms.nullable(),
  weeks: z.number().int(),
});

export const volumeHistorySchema = z.object({
  /** The host's time zone; null: nothing was ever measured. */
  zone: z.string().nullable(),
  /** Of the weeks that `week` is about. */
  measuredMs: ms,
  week: z.array(weekHourSchema),
  gaps: z.array(z.object({ fromMs: z.number(), lengthMs: ms, open: z.boolean() })),
});
export type VolumeHistory = z.infer<typeof volumeHistorySchema>;

export const rateHistorySchema = z.object({
  pointMs: ms,
  points: z.array(z.object({ atMs: z.number(), bytesPerSecond: z.number().nullable() })),
});
export type RateHistory = z.infer<typeof rateHistorySchema>;

export const measuredVolumeSchema = z.object({
  name: z.string(),
  measuredMs: ms,
  windows: z.array(z.object({ lengthMs: ms, bytes: z.number().nonnegative() })),
  preservedShare: z.number().nullable(),
  changedShare: z.number().nullable(),
  /** By stretches that begin in the hours that were asked for; false: at any time. */
  ofHours: z.boolean(),
});

const quietHourSchema = z.object({
  hour: z.number().int(),
  quietMs: ms,
  bytesPerSecond: z.number(),
  weeks: z.number().int(),
});

export const quietHoursSchema = z.object({
  /** Hours of the week, the best first. */
  hours: z.array(quietHourSchema),
  /** The best hour of every day, 0 to 23; null: not each was measured, or had a rest. */
  everyDay: quietHourSchema.nullable(),
  /** Of the volume that was measured least. */
  measuredMs: ms,
});
export type QuietHours = z.infer<typeof quietHoursSchema>;
