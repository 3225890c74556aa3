import { z } from "zod";
import { actionPermission } from "@/server/core/access/permissions";
import { actionResultSchema, failureDetailSchema, failureViewSchema } from "@/server/core/contracts/views";
import { demand, permitted, router } from "../procedures";

export const failuresRouter = router({
  /** Newest first, resolved ones included. */
  list: permitted("see")
    .output(z.array(failureViewSchema))
    .query(({ ctx }) => ctx.services.failures.list()),
  get: permitted("see")
    .input(z.object({ id: z.string().min(1) }).strict())
    .output(failureDetailSchema)
    .query(({ ctx, input }) => ctx.services.failures.get(input.id)),
  /** `action`: an id of the error table. */
  act: permitted("troubleshoot")
    .input(z.object({ id: z.string().min(1), action: z.string().min(1) }).strict())
    .output(actionResultSchema)
    .mutation(({ ctx, input }) => {
      demand(ctx.viewer.role, actionPermission(input.action));
      return ctx.services.actions.act(input.id, input.action);
    }),
});
