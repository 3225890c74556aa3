import { z } from "zod";
import {
  channelInputSchema,
  channelViewSchema,
  deliveryViewSchema,
  jobChannelSchema,
  testResultSchema,
} from "@/server/core/contracts/notifications";
import { permitted, router } from "../procedures";

const MOST_DELIVERIES = 200;
const byId = z.object({ id: z.string().min(1) }).strict();
/** Where to and what became of it is told to administrators only: receivers' answers are part of it. */
const manage = permitted("manageNotifications");

export const notificationsRouter = router({
  list: manage.output(z.array(channelViewSchema)).query(({ ctx }) => ctx.services.notifications.list()),
  /** Those that are on and tell of a job; null: of one that is still to be made. */
  ofJob: permitted("see")
    .input(z.object({ jobId: z.string().min(1).nullable() }).strict())
    .output(z.array(jobChannelSchema))
    .query(({ ctx, input }) => ctx.services.notifications.ofJob(input.jobId)),
  /** Newest first. */
  deliveries: manage
    .input(z.object({ limit: z.number().int().min(1).max(MOST_DELIVERIES).default(20) }).strict())
    .output(z.array(deliveryViewSchema))
    .query(({ ctx, input }) => ctx.services.notifications.deliveries(input.limit)),
  create: manage
    .input(channelInputSchema)
    .output(z.object({ id: z.string() }))
    .mutation(({ ctx, input }) => ctx.services.notifications.create(input)),
  /** Replaces the channel; a `secret` that is left out stays as it is stored. */
  update: manage
    .input(z.object({ id: z.string().min(1), channel: channelInputSchema }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.notifications.update(input.id, input.channel);
      return {};
    }),
  remove: manage
    .input(byId)
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.notifications.remove(input.id);
      return {};
    }),
  test: manage
    .input(byId)
    .output(testResultSchema)
    .mutation(({ ctx, input }) => ctx.services.notifications.test(input.id)),
  retry: manage
    .input(byId)
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.notifications.retry(input.id);
      return {};
    }),
});
