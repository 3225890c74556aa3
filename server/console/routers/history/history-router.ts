import { z } from "zod";
import {
  historyRangeSchema,
  measuredVolumeSchema,
  quietHoursSchema,
  rateHistorySchema,
  volumeHistorySchema,
} from "@/server/core/contracts/history";
import { timeZoneSchema } from "@/server/core/contracts/schedule";
import { permitted, router } from "../procedures";

const MOST_VOLUMES = 256;
/** In UTC, 0: Monday from 0:00 to 1:00. */
const hoursOfWeek = z.array(z.number().int().min(0).max(167)).max(168).default([]);
const ofVolume = { hostId: z.string().min(1), volume: z.string().min(1) };

export const historyRouter = router({
  /** The volume's week and its longest quiet gaps. Empty where nothing was measured. */
  volume: permitted("see")
    .input(z.object({ ...ofVolume, zone: timeZoneSchema }).strict())
    .output(volumeHistorySchema)
    .query(({ ctx, input: { zone, ...of } }) => ctx.services.history.volume(of, zone)),
  rates: permitted("see")
    .input(z.object({ ...ofVolume, range: historyRangeSchema }).strict())
    .output(rateHistorySchema)
    .query(({ ctx, input: { range, ...of } }) => ctx.services.history.rates(of, range)),
  /** Of every volume of a host that was ever measured, for backups that begin in these hours. */
  measures: permitted("see")
    .input(z.object({ hostId: z.string().min(1), hours: hoursOfWeek }).strict())
    .output(z.array(measuredVolumeSchema))
    .query(({ ctx, input }) => ctx.services.history.measures(input.hostId, input.hours)),
  /** When these volumes rest longest, by hours of the week; the best first. */
  quietHours: permitted("see")
    .input(
      z
        .object({
          hostId: z.string().min(1),
          volumes: z.array(z.string().min(1)).min(1).max(MOST_VOLUMES),
          zone: timeZoneSchema,
        })
        .strict(),
    )
    .output(quietHoursSchema)
    .query(({ ctx, input }) => ctx.services.history.quietHours(input.hostId, input.volumes, input.zone)),
});
