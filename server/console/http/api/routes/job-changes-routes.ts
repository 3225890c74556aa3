/**
 * Jobs made and changed by programs. A key says what is backed up, when and where to; what runs as root (the command
 * of a destination, hooks) stays an administrator's, in the console: here it is neither given nor changed.
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type JobInput, jobInputSchema, jobSchema } from "@/server/core/contracts/job";
import { jobViewSchema } from "@/server/core/contracts/views";
import { fault } from "../../../services/fault-error";
import { route } from "../route";
import { job } from "./jobs-routes";

const { name, hostId, selection, openFile, schedule, destination, password } = jobInputSchema.shape;
const jobBody = z.object({ name, hostId, selection, openFile, schedule, destination, password }).strict();
const byJob = z.object({ job }).strict();

const denied = (field: string) =>
  fault("denied", "What runs programs as root is set in the console, by an administrator.", { field });

export const jobChangesRoutes = [
  route({
    method: "POST",
    path: "/jobs",
    id: "createJob",
    tag: "Jobs",
    summary: "Makes a job, with restic as its destination",
    permission: "changeJobs",
    audit: "jobs.create",
    status: 201,
    input: z.object({}).strict(),
    body: jobBody,
    answer: jobViewSchema,
    respond: async ({ jobs }, _input, body) => {
      if (body.destination.kind === "command") throw denied("destination");
      return jobs.create(jobInputSchema.parse(body));
    },
    location: ({ id }) => `/jobs/${id}`,
  }),
  route({
    method: "PUT",
    path: "/jobs/{job}",
    id: "replaceJob",
    tag: "Jobs",
    summary:
      "Replaces a job. A password that is left out stays as it is stored, and so does what runs programs: a command has to be given as it is",
    permission: "changeJobs",
    audit: "jobs.update",
    status: 200,
    input: byJob,
    body: jobBody,
    answer: jobViewSchema,
    respond: async ({ jobs }, input, body) => {
      const { id, hasPassword: _, paused: __, nextRunAt: ___, ...stored } = jobSchema.parse(await jobs.find(input.job));
      if (body.destination.kind === "command" && !isDeepStrictEqual(body.destination, stored.destination)) {
        throw denied("destination");
      }
      if (body.hostId !== stored.hostId) throw fault("invalid", "A job keeps its host here.", { field: "hostId" });
      const changed: JobInput = { ...stored, ...body };
      return jobs.update(id, changed);
    },
  }),
  route({
    method: "DELETE",
    path: "/jobs/{job}",
    id: "removeJob",
    tag: "Jobs",
    summary: "Removes a job and answers what it was. Its runs stay in the history, its backups in their repository",
    permission: "changeJobs",
    audit: "jobs.remove",
    status: 200,
    input: byJob,
    answer: jobViewSchema,
    respond: async ({ jobs }, input) => {
      const found = await jobs.get((await jobs.find(input.job)).id);
      await jobs.remove(found.id);
      return found;
    },
  }),
  ...([true, false] as const).map((paused) =>
    route({
      method: "POST",
      path: `/jobs/{job}/${paused ? "pause" : "continue"}`,
      id: paused ? "pauseJob" : "continueJob",
      tag: "Jobs",
      summary: paused
        ? "Nobody and nothing starts the job until it is continued; what is running goes on"
        : "The job is started again, by its schedule too",
      permission: "changeJobs",
      audit: "jobs.setPaused",
      status: 200,
      input: byJob,
      answer: jobViewSchema,
      respond: async ({ jobs }, input) => {
        const { id } = await jobs.find(input.job);
        await jobs.setPaused(id, paused);
        return jobs.get(id);
      },
    }),
  ),
];
