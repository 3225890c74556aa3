import { z } from "zod";
import { runSchema } from "@/server/core/contracts/run";
import { positionedEventSchema } from "@/server/core/contracts/views";
import { listOf } from "../documents";
import { limit, onward } from "../parts";
import { route } from "../route";
import { job } from "./jobs-routes";

const MOST = 2_147_483_647;

const run = z.string().min(1).max(100).describe("A run's id or number.");
const byRun = z.object({ run }).strict();

export const runsRoutes = [
  route({
    method: "GET",
    path: "/runs",
    id: "listRuns",
    tag: "Runs",
    summary: "Runs, newest first",
    permission: "see",
    status: 200,
    input: z
      .object({
        job: job.optional(),
        before: z.coerce.number().int().min(1).max(MOST).optional().describe("Only runs with a smaller number."),
        limit: limit(500),
      })
      .strict(),
    answer: listOf(runSchema),
    respond: async ({ runs, jobs }, input) => {
      const jobId = input.job === undefined ? undefined : (await jobs.find(input.job)).id;
      const found = await runs.list({ jobId, before: input.before, limit: input.limit + 1 });
      const items = found.slice(0, input.limit);
      const more = found.length > items.length;
      return { items, next: more ? onward("/runs", { ...input, before: items.at(-1)?.number }) : null };
    },
  }),
  route({
    method: "GET",
    path: "/runs/{run}",
    id: "getRun",
    tag: "Runs",
    summary: "A run with its volumes",
    permission: "see",
    status: 200,
    input: byRun,
    answer: runSchema,
    respond: ({ runs }, input) => runs.get(input.run),
  }),
  route({
    method: "GET",
    path: "/runs/{run}/events",
    id: "listRunEvents",
    tag: "Runs",
    summary: "A run's log, oldest first. While the run is on, ask again from the last position",
    permission: "see",
    status: 200,
    input: z
      .object({
        run,
        after: z.coerce.number().int().min(0).max(MOST).default(0).describe("Only events after this position."),
        limit: limit(1000),
      })
      .strict(),
    answer: listOf(positionedEventSchema),
    respond: async ({ runs, runLog }, input) => {
      const { id } = await runs.get(input.run);
      const found = await runLog.after(id, input.after, input.limit + 1);
      const items = found.slice(0, input.limit);
      const more = found.length > items.length;
      return {
        items,
        next: more ? onward(`/runs/${id}/events`, { limit: input.limit, after: items.at(-1)?.position }) : null,
      };
    },
  }),
  route({
    method: "POST",
    path: "/runs/{run}/cancel",
    id: "cancelRun",
    tag: "Runs",
    summary: "Asks the host to cancel a run. The run ends when the host has undone what it did",
    permission: "runJobs",
    audit: "runs.cancel",
    status: 202,
    input: byRun,
    answer: runSchema,
    respond: async ({ runs }, input) => {
      await runs.cancel(input.run);
      return runs.get(input.run);
    },
  }),
];
