import { z } from "zod";
import type { LiveSample, VolumeView } from "@/server/core/contracts/views";
import { permitted, router } from "../procedures";

export const liveRouter = router({
  /** The newest sample of each volume, at most five a second, latest wins. */
  samples: permitted("see")
    .input(z.object({ hostId: z.string().optional() }).strict().prefault({}))
    .subscription(async function* ({ ctx, input, signal }): AsyncGenerator<LiveSample[]> {
      yield* ctx.services.telemetry.follow({ hostId: input.hostId }, signal);
    }),
  /** The whole list at once and again whenever it, or a host's connection, changes. */
  volumes: permitted("see").subscription(async function* ({ ctx, signal }): AsyncGenerator<VolumeView[]> {
    yield* ctx.services.volumes.follow(signal);
  }),
});
