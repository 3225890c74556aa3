import { z } from "zod";
import { actionResultSchema, failureDetailSchema, failureViewSchema } from "@/server/core/contracts/views";
import { protectedProcedure, router } from "../procedures";

export const failuresRouter = router({
  /** Newest first, resolved ones included. */
  list: protectedProcedure.output(z.array(failureViewSchema)).query(({ ctx }) => ctx.services.failures.list()),
  get: protectedProcedure
    .input(z.object({ id: z.string().min(1) }).strict())
    .output(failureDetailSchema)
    .query(({ ctx, input }) => ctx.services.failures.get(input.id)),
  /** `action`: an id of the error table. */
  act: protectedProcedure
    .input(z.object({ id: z.string().min(1), action: z.string().min(1) }).strict())
    .output(actionResultSchema)
    .mutation(({ ctx, input }) => ctx.services.actions.act(input.id, input.action)),
});
