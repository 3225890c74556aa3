import { z } from "zod";
import {
  historyRangeSchema,
  measuredVolumeSchema,
  quietHoursSchema,
  rateHistorySchema,
  volumeHistorySchema,
  zoneSchema,
} from "@/server/core/contracts/history";
import { permitted, router } from "../procedures";

const MOST_VOLUMES = 256;
const ofVolume = { hostId: z.string().min(1), volume: z.string().min(1) };

export const historyRouter = router({
  /** The volume's week and its longest quiet gaps. Empty where nothing was measured. */
  volume: permitted("see")
    .input(z.object({ ...ofVolume, zone: zoneSchema }).strict())
    .output(volumeHistorySchema)
    .query(({ ctx, input: { zone, ...of } }) => ctx.services.history.volume(of, zone)),
  rates: permitted("see")
    .input(z.object({ ...ofVolume, range: historyRangeSchema }).strict())
    .output(rateHistorySchema)
    .query(({ ctx, input: { range, ...of } }) => ctx.services.history.rates(of, range)),
  /** Of every volume of a host that was ever measured. */
  measures: permitted("see")
    .input(z.object({ hostId: z.string().min(1) }).strict())
    .output(z.array(measuredVolumeSchema))
    .query(({ ctx, input }) => ctx.services.history.measures(input.hostId)),
  /** When these volumes rest longest, by hours of the week; the best first. */
  quietHours: permitted("see")
    .input(
      z
        .object({
          hostId: z.string().min(1),
          volumes: z.array(z.string().min(1)).min(1).max(MOST_VOLUMES),
          zone: zoneSchema,
        })
        .strict(),
    )
    .output(quietHoursSchema)
    .query(({ ctx, input }) => ctx.services.history.quietHours(input.hostId, input.volumes, input.zone)),
});
