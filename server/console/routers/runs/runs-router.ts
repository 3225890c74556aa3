import { type TrackedEnvelope, tracked } from "@trpc/server";
import { z } from "zod";
import { runSchema } from "@/server/core/contracts/run";
import { type LiveSample, type RunFollow, runDetailSchema } from "@/server/core/contracts/views";
import { pageOf } from "@/server/core/lists/paging";
import { runListSchema } from "@/server/core/lists/run-list";
import { permitted, router } from "../procedures";

const byId = z.object({ id: z.string().min(1) }).strict();

export const runsRouter = router({
  /** Newest first. */
  list: permitted("see")
    .input(
      z
        .object({ jobId: z.string().optional(), limit: z.number().int().min(1).max(500).default(50) })
        .strict()
        .prefault({}),
    )
    .output(z.array(runSchema))
    .query(({ ctx, input }) => ctx.services.runs.list(input)),
  /** Searched, filtered and ordered, a page of it. */
  page: permitted("see")
    .input(runListSchema.prefault({}))
    .output(pageOf(runSchema))
    .query(({ ctx, input }) => ctx.services.runs.page(input)),
  get: permitted("see")
    .input(byId)
    .output(runDetailSchema)
    .query(({ ctx, input }) => ctx.services.runs.detail(input.id)),
  cancel: permitted("runJobs")
    .input(byId)
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.runs.cancel(input.id);
      return {};
    }),
  /**
   * Every event after `lastEventId` (a position; absent: from the first), then new ones as they are stored.
   * tRPC resends the last id after a broken connection, so nothing is skipped or repeated. Ends after the run's end.
   */
  follow: permitted("see")
    .input(byId.extend({ lastEventId: z.coerce.number().int().min(0).nullish() }).strict())
    .subscription(async function* ({ ctx, input, signal }): AsyncGenerator<TrackedEnvelope<RunFollow>> {
      for await (const step of ctx.services.runs.follow(input.id, input.lastEventId ?? 0, signal)) {
        yield tracked(String(step.position), step);
      }
    }),
  /** Live samples of the run's volumes, at most five a second for each. */
  samples: permitted("see")
    .input(byId)
    .subscription(async function* ({ ctx, input, signal }): AsyncGenerator<LiveSample[]> {
      yield* ctx.services.runs.samples(input.id, signal);
    }),
});
