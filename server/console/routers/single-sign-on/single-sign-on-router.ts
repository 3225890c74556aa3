import { z } from "zod";
import {
  providerCheckSchema,
  singleSignOnInputSchema,
  singleSignOnViewSchema,
} from "@/server/core/contracts/single-sign-on";
import { permitted, router } from "../procedures";

export const singleSignOnRouter = router({
  get: permitted("manageUsers")
    .output(singleSignOnViewSchema)
    .query(({ ctx }) => ctx.services.singleSignOn.get()),
  set: permitted("manageUsers")
    .input(singleSignOnInputSchema)
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.singleSignOn.set(input);
      return {};
    }),
  check: permitted("manageUsers")
    .output(providerCheckSchema)
    .mutation(({ ctx }) => ctx.services.singleSignOn.check()),
});
