import { z } from "zod";
import { apiKeyInputSchema, apiKeyViewSchema, newApiKeySchema } from "@/server/core/contracts/api-keys";
import { permitted, router } from "../procedures";

const manage = permitted("manageKeys");

export const apiKeysRouter = router({
  list: manage.output(z.array(apiKeyViewSchema)).query(({ ctx }) => ctx.services.apiKeys.list()),
  /** The key is in this answer only. */
  create: manage
    .input(apiKeyInputSchema)
    .output(newApiKeySchema)
    .mutation(({ ctx, input }) => ctx.services.apiKeys.create(input, ctx.viewer.email)),
  remove: manage
    .input(z.object({ id: z.string().min(1) }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.apiKeys.remove(input.id);
      return {};
    }),
});
