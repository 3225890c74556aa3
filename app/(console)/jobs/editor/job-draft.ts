import type { z } from "zod";
import { type JobInput, type jobInputSchema, jobOpenFileSchema } from "@/server/core/contracts/job";
import type { JobView } from "@/server/core/contracts/views";

/** The form's values: a job as it is sent, possibly not valid yet. */
export type JobDraft = JobInput;
export type JobDraftIn = z.input<typeof jobInputSchema>;

/** A new job, or the one to edit. The stored password is never shown: the field begins empty. */
export function draftOf(job: JobView | null, hostId: string): JobDraft {
  if (job) {
    const { name, selection, openFile, hooks, schedule, destination } = job;
    return { name, hostId: job.hostId, selection, openFile, hooks, schedule, destination };
  }
  return {
    name: "",
    hostId,
    selection: { volumes: [], paths: [], excludes: [] },
    openFile: jobOpenFileSchema.parse({}),
    hooks: [],
    schedule: null,
    destination: { kind: "restic", repository: "" },
  };
}
