import { z } from "zod";
import { runSchema } from "@/server/core/contracts/run";
import { jobViewSchema } from "@/server/core/contracts/views";
import { listOf } from "../documents";
import { route } from "../route";

export const job = z.string().min(1).max(100).describe("A job's id or name.");
const byJob = z.object({ job }).strict();

export const jobsRoutes = [
  route({
    method: "GET",
    path: "/jobs",
    id: "listJobs",
    tag: "Jobs",
    summary: "Jobs by name, each with its last run",
    permission: "see",
    status: 200,
    input: z.object({}).strict(),
    answer: listOf(jobViewSchema),
    respond: async ({ jobs }) => ({ items: await jobs.list(), next: null }),
  }),
  route({
    method: "GET",
    path: "/jobs/{job}",
    id: "getJob",
    tag: "Jobs",
    summary: "A job",
    permission: "see",
    status: 200,
    input: byJob,
    answer: jobViewSchema,
    respond: async ({ jobs }, input) => jobs.get((await jobs.find(input.job)).id),
  }),
  route({
    method: "POST",
    path: "/jobs/{job}/runs",
    id: "startRun",
    tag: "Runs",
    summary: "Starts a run of the job. A host that cannot be reached makes a run that failed",
    permission: "runJobs",
    audit: "jobs.run",
    status: 202,
    input: byJob,
    answer: runSchema,
    respond: async ({ jobs, runs }, input) => {
      const { runId } = await runs.start((await jobs.find(input.job)).id);
      return runs.get(runId);
    },
    location: ({ id }) => `/runs/${id}`,
  }),
];
