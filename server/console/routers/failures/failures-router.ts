import { z } from "zod";
import { actionPermission } from "@/server/core/access/permissions";
import {
  actionChoiceSchema,
  actionResultSchema,
  diagnosticsBundleSchema,
  failureDetailSchema,
  failureGroupSchema,
  failureViewSchema,
} from "@/server/core/contracts/views";
import { failureListSchema } from "@/server/core/lists/failure-list";
import { pageOf } from "@/server/core/lists/paging";
import { demand, permitted, router } from "../procedures";

const byId = z.object({ id: z.string().min(1) }).strict();

export const failuresRouter = router({
  /** Newest first, resolved ones included; of one run, or of all. */
  list: permitted("see")
    .input(z.object({ runId: z.string().optional() }).strict().prefault({}))
    .output(z.array(failureViewSchema))
    .query(({ ctx, input }) => ctx.services.failures.list(input.runId)),
  /** Failures of the same job and host, code and volume as one. */
  groups: permitted("see")
    .input(failureListSchema.prefault({}))
    .output(pageOf(failureGroupSchema))
    .query(({ ctx, input }) => ctx.services.failures.groups(input)),
  /** How many groups are open without somebody having acknowledged them. */
  attention: permitted("see")
    .output(z.object({ groups: z.number().int() }))
    .query(async ({ ctx }) => ({ groups: (await ctx.services.failures.attention()).length })),
  /** For all open failures of this one's kind, until they resolve. */
  acknowledge: permitted("troubleshoot")
    .input(z.object({ id: z.string().min(1), note: z.string().trim().max(500).default("") }).strict())
    .output(failureGroupSchema)
    .mutation(({ ctx, input }) => ctx.services.failures.acknowledge(input.id, ctx.viewer.email, input.note)),
  takeBack: permitted("troubleshoot")
    .input(byId)
    .output(failureGroupSchema)
    .mutation(({ ctx, input }) => ctx.services.failures.takeBack(input.id)),
  get: permitted("see")
    .input(byId)
    .output(failureDetailSchema)
    .query(({ ctx, input }) => ctx.services.failures.get(input.id)),
  /** All that somebody else needs to understand it, as one archive without secrets. */
  diagnostics: permitted("troubleshoot")
    .input(byId)
    .output(diagnosticsBundleSchema)
    .mutation(({ ctx, input }) => ctx.services.diagnostics.ofFailure(input.id)),
  /** `action`: an id of the error table. */
  act: permitted("troubleshoot")
    .input(actionChoiceSchema.extend({ id: z.string().min(1), action: z.string().min(1) }).strict())
    .output(actionResultSchema)
    .mutation(({ ctx, input }) => {
      demand(ctx.viewer.role, actionPermission(input.action));
      const { id, action, ...choice } = input;
      return ctx.services.actions.act(id, action, choice);
    }),
});
