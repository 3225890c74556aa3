import { z } from "zod";
import { hookSchema, hookTrialSchema } from "@/server/core/contracts/hooks";
import { absolutePath, jobInputSchema } from "@/server/core/contracts/job";
import { jobViewSchema } from "@/server/core/contracts/views";
import { jobListSchema } from "@/server/core/lists/job-list";
import { pageOf } from "@/server/core/lists/paging";
import { permitted, router } from "../procedures";

const byId = z.object({ id: z.string().min(1) }).strict();

export const jobsRouter = router({
  list: permitted("see")
    .output(z.array(jobViewSchema))
    .query(({ ctx }) => ctx.services.jobs.list()),
  /** Searched, filtered and ordered, a page of it. */
  page: permitted("see")
    .input(jobListSchema.prefault({}))
    .output(pageOf(jobViewSchema))
    .query(({ ctx, input }) => ctx.services.jobs.page(input)),
  /** For those who come by a run: the job may have been removed since (null). */
  named: permitted("see")
    .input(byId)
    .output(jobViewSchema.nullable())
    .query(({ ctx, input }) => ctx.services.jobs.peek(input.id)),
  get: permitted("see")
    .input(byId)
    .output(jobViewSchema)
    .query(({ ctx, input }) => ctx.services.jobs.get(input.id)),
  create: permitted("changeJobs")
    .input(jobInputSchema)
    .output(jobViewSchema)
    .mutation(({ ctx, input }) => ctx.services.jobs.create(input)),
  /** Replaces the job; a `password` that is left out stays as it is stored. */
  update: permitted("changeJobs")
    .input(z.object({ id: z.string().min(1), job: jobInputSchema }).strict())
    .output(jobViewSchema)
    .mutation(({ ctx, input }) => ctx.services.jobs.update(input.id, input.job)),
  remove: permitted("changeJobs")
    .input(byId)
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.jobs.remove(input.id);
      return {};
    }),
  run: permitted("runJobs")
    .input(byId)
    .output(z.object({ runId: z.string() }))
    .mutation(({ ctx, input }) => ctx.services.runs.start(input.id)),
  /** A paused job is not started, by whomever. */
  setPaused: permitted("runJobs")
    .input(z.object({ id: z.string().min(1), paused: z.boolean() }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.jobs.setPaused(input.id, input.paused);
      return {};
    }),
  /** Runs a hook on its host, as it stands in the form. */
  testHook: permitted("changeJobs")
    .input(
      z
        .object({
          hostId: z.string().min(1),
          hook: hookSchema,
          jobName: z.string().max(100),
          volumes: z.array(z.string()),
        })
        .strict(),
    )
    .output(hookTrialSchema)
    .mutation(({ ctx, input }) => ctx.services.jobs.testHook(input)),
  /** Opens the repository on the host, or makes it. Without a password the one stored for `jobId` is used. */
  checkRepository: permitted("changeJobs")
    .input(
      z
        .object({
          hostId: z.string().min(1),
          repository: absolutePath,
          password: z.string().min(1).max(1024).optional(),
          jobId: z.string().optional(),
        })
        .strict(),
    )
    .output(z.object({ created: z.boolean() }))
    .mutation(({ ctx, input }) => ctx.services.jobs.checkRepository(input)),
});
