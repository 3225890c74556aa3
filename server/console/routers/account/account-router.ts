import { z } from "zod";
import { accountStateSchema } from "@/server/core/contracts/views";
import { publicProcedure, router } from "../procedures";

export const administratorInput = z
  .object({
    token: z.string().min(1),
    name: z.string().trim().min(1, "must not be empty").max(100),
    email: z.email("must be an e-mail address"),
    password: z.string().min(10, "must have at least 10 characters").max(128, "must have at most 128 characters"),
  })
  .strict();

export const accountRouter = router({
  state: publicProcedure.output(accountStateSchema).query(({ ctx }) => ctx.services.accounts.state(ctx.viewer)),
  /** Uses up the one-time link. The browser signs in afterwards with `POST /api/auth/sign-in/email`. */
  createAdministrator: publicProcedure
    .input(administratorInput)
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.accounts.createAdministrator(input);
      return {};
    }),
});
