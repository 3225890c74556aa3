/**
 * What was measured of a volume's writes over a stretch of time: what a worker tells every 10 s, and what roll-ups
 * are made of (`../history/activity.ts` adds them up). Durations are milliseconds, instants milliseconds since 1970
 * by the host's clock.
 */
import { z } from "zod";

const count = z.number().int().nonnegative();
const ms = z.number().nonnegative();

export const activitySchema = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  /** How much of it was measured: what is missing is unknown, not quiet. */
  measuredMs: ms,
  writes: count,
  writeBytes: count,
  /** Of the bytes those that were written while just one snapshot was open, and what of it took cache or was free. */
  frozenWriteBytes: count,
  preservedBytes: count,
  skippedFreeBytes: count,
  /** Without a write from the beginning on, up to the end, and longest within; never longer than the stretch itself. */
  quietHeadMs: ms,
  quietTailMs: ms,
  quietLongestMs: ms,
  /** When the longest began. */
  quietLongestFromMs: z.number(),
  /** Gaps that ended in it, by length: `GAP_BUCKETS_MS`. Of several between two reports the longest counts. */
  gaps: z.array(count),
});
export type Activity = z.infer<typeof activitySchema>;

export const volumeActivitySchema = activitySchema.extend({ volume: z.string() });
export type VolumeActivity = z.infer<typeof volumeActivitySchema>;
