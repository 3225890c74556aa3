/** The list of jobs: what can be asked of it, and the answer. */
import { z } from "zod";
import { outcomeSchema } from "../contracts/run";
import type { JobView } from "../contracts/views";
import { isEnded } from "../runs/phases";
import { listFields } from "./list-query";
import { containsWords, cutPage, type Page } from "./paging";

export const jobListSchema = z
  .object({
    ...listFields,
    /** How the last run went, or what the job is now. */
    result: z.enum(["", "running", "paused", "never", ...outcomeSchema.options]).default(""),
    hostId: z.string().default(""),
    sort: z.enum(["name", "nextRun", "latest", "longestAgo"]).default("name"),
  })
  .strict();
export type JobListQuery = z.output<typeof jobListSchema>;

const lastAt = ({ lastRun }: JobView) => (lastRun?.startedAt ? Date.parse(lastRun.startedAt) : 0);
const nextAt = ({ nextRunAt }: JobView) => (nextRunAt === null ? Number.MAX_SAFE_INTEGER : Date.parse(nextRunAt));
const byName = new Intl.Collator("en", { numeric: true });

const orders: Record<JobListQuery["sort"], (a: JobView, b: JobView) => number> = {
  name: (a, b) => byName.compare(a.name, b.name),
  /** Those that nothing starts by itself last. */
  nextRun: (a, b) => nextAt(a) - nextAt(b) || byName.compare(a.name, b.name),
  latest: (a, b) => lastAt(b) - lastAt(a),
  /** Those that never ran first of all. */
  longestAgo: (a, b) => lastAt(a) - lastAt(b),
};

function hasResult(job: JobView, result: JobListQuery["result"]): boolean {
  const { lastRun, paused } = job;
  if (result === "") return true;
  if (result === "paused") return paused;
  if (result === "never") return lastRun === null;
  if (result === "running") return lastRun !== null && !isEnded(lastRun.state);
  return lastRun?.state === result;
}

/** `hostName`: what a host is called, for the search. */
export function listJobs(
  jobs: readonly JobView[],
  query: JobListQuery,
  hostName: (id: string) => string,
): Page<JobView> {
  const found = jobs
    .filter((job) => hasResult(job, query.result))
    .filter((job) => query.hostId === "" || job.hostId === query.hostId)
    .filter(({ name, hostId, selection, destination }) => {
      const target = destination.kind === "restic" ? destination.repository : null;
      return containsWords(query.text, [name, hostName(hostId), target, ...selection.volumes, ...selection.paths]);
    })
    .sort(orders[query.sort]);
  return cutPage(found, query.page, jobs.length);
}
