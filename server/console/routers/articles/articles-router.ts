import { z } from "zod";
import { errorCodeSchema } from "@/server/core/contracts/error-code";
import { feedbackViewSchema } from "@/server/core/contracts/views";
import { permitted, router } from "../procedures";

export const articlesRouter = router({
  feedback: permitted("rateArticles")
    .input(
      z.object({ code: errorCodeSchema, helpful: z.boolean(), text: z.string().trim().max(4000).default("") }).strict(),
    )
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.feedback.add({ ...input, by: ctx.viewer.email });
      return {};
    }),
  feedbackList: permitted("readFeedback")
    .output(z.array(feedbackViewSchema))
    .query(({ ctx }) => ctx.services.feedback.list()),
});
