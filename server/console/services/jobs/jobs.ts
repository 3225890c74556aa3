/** Jobs: making, changing and removing them. */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { HookTrial } from "@/server/core/contracts/hooks";
import type { HostInput } from "@/server/core/contracts/host-methods";
import type { EffectiveJob, Job, JobInput } from "@/server/core/contracts/job";
import type { Settings } from "@/server/core/contracts/settings";
import type { JobView } from "@/server/core/contracts/views";
import { type JobListQuery, listJobs } from "@/server/core/lists/job-list";
import type { Page } from "@/server/core/lists/paging";
import { effectiveMode } from "@/server/core/planning/groups";
import { nextStart, scheduleProblem } from "@/server/core/planning/schedule";
import { effectiveOpenFile, sizeProblem } from "@/server/core/settings/effective-open-file";
import type { HostStore } from "../../data/hosts";
import type { JobStore, NewJob } from "../../data/jobs";
import type { RunStore } from "../../data/runs";
import type { SettingStore } from "../../data/settings";
import { noteChange } from "../audit/change-note";
import { fault } from "../fault-error";
import type { Hosts } from "../hosts/hosts";
import { scheduleZone } from "../schedule/schedule-zone";
import type { WaitingStarts } from "../schedule/waiting-starts";
import type { Vault } from "../secrets/vault";
import { Topic } from "../topic";
import { checkSelection } from "./check-selection";

type Parts = {
  jobs: JobStore;
  runs: RunStore;
  settings: SettingStore;
  hostStore: HostStore;
  hosts: Hosts;
  vault: Vault;
  waiting: WaitingStarts;
  now: () => Date;
};
export type RepositoryCheck = {
  hostId: string;
  repository: string;
  password?: string | undefined;
  jobId?: string | undefined;
};

export class Jobs {
  /** Announces the id of a job whose next start may have become another. */
  readonly scheduleChanges = new Topic();
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async list(): Promise<JobView[]> {
    const { jobs, runs, settings } = this.#parts;
    const [all, lastRuns, present] = await Promise.all([jobs.list(), runs.lastByJob(), settings.get()]);
    return all.map((job) => ({
      ...withEffective(job, present),
      lastRun: lastRuns.get(job.id) ?? null,
      waitingFor: this.#waitingFor(job),
    }));
  }

  async page(query: JobListQuery): Promise<Page<JobView>> {
    const [all, hosts] = await Promise.all([this.list(), this.#parts.hosts.list()]);
    const names = new Map(hosts.map(({ id, name }) => [id, name]));
    return listJobs(all, query, (id) => names.get(id) ?? "");
  }

  /** What is running goes on to its end. */
  async setPaused(id: string, paused: boolean): Promise<void> {
    const before = await this.get(id);
    noteChange({ subject: before.name, before: { paused: before.paused }, after: { paused } });
    if (before.paused === paused) return;
    const now = this.#parts.now();
    const next =
      before.schedule === null || paused ? null : nextStart(before.schedule, await this.#zoneOf(before), now);
    await this.#parts.jobs.setPaused(id, paused ? now : null, next);
    this.scheduleChanges.announce(id);
  }

  names(): Promise<{ id: string; name: string }[]> {
    return this.#parts.jobs.names();
  }

  /** Of the jobs of one host, by name. */
  async namesOn(hostId: string): Promise<string[]> {
    return (await this.#parts.jobs.list()).flatMap((job) => (job.hostId === hostId ? [job.name] : []));
  }

  async get(id: string): Promise<JobView> {
    const job = await this.peek(id);
    if (!job) throw fault("notFound", "There is no such job.", { field: "id" });
    return job;
  }

  /** Null: there is none any more. */
  async peek(id: string): Promise<JobView | null> {
    const job = await this.#parts.jobs.find(id);
    if (!job) return null;
    const [lastRun] = await this.#parts.runs.list({ jobId: id, limit: 1 });
    const effective = withEffective(job, await this.#parts.settings.get());
    return { ...effective, lastRun: lastRun ?? null, waitingFor: this.#waitingFor(job) };
  }

  #waitingFor({ id, nextRunAt }: Job): string | null {
    const due = nextRunAt !== null && new Date(nextRunAt) <= this.#parts.now();
    return due ? (this.#parts.waiting.of(id)?.message ?? null) : null;
  }

  /** By id, or by name. */
  async find(idOrName: string): Promise<Job> {
    const { jobs } = this.#parts;
    const job = (await jobs.find(idOrName)) ?? (await jobs.findByName(idOrName));
    if (!job) throw fault("notFound", `There is no job “${idOrName}”.`, { field: "job" });
    return job;
  }

  create(input: JobInput): Promise<JobView> {
    return this.#save(randomUUID(), input, null);
  }

  async update(id: string, input: JobInput): Promise<JobView> {
    const { lastRun: _, waitingFor: __, ...before } = await this.get(id);
    noteChange({ before });
    return this.#save(id, input, before);
  }

  async #save(id: string, { password, ...job }: JobInput, stored: Job | null): Promise<JobView> {
    const { jobs, hosts, hostStore, vault } = this.#parts;
    if ((await hosts.get(job.hostId)).removedAt !== null) {
      throw fault("invalid", "This host was removed. Choose another.", { field: "hostId" });
    }
    const sameName = await jobs.findByName(job.name);
    if (sameName && sameName.id !== id) {
      throw fault("conflict", `There is already a job “${job.name}”. Choose another name.`, { field: "name" });
    }
    noteChange({ subject: job.name });
    checkSelection(job, (await hostStore.volumes()).get(job.hostId) ?? null);
    await this.#checkSizes(job, stored);
    if (job.destination.kind === "restic" && password === undefined && !stored?.hasPassword) {
      throw fault("invalid", "A restic repository needs a password.", { field: "password" });
    }
    const next = await this.#nextRunAt(job, stored);
    await jobs.save(id, job, password === undefined ? undefined : vault.seal(password, id), next);
    this.scheduleChanges.announce(id);
    const saved = await this.get(id);
    const { lastRun: _, waitingFor: __, ...after } = saved;
    noteChange({ after });
    return saved;
  }

  /** What a changed setting has put out of order does not keep a person from changing something else of the job. */
  async #checkSizes({ openFile }: NewJob, stored: Job | null): Promise<void> {
    if (stored && isDeepStrictEqual(stored.openFile.cache, openFile.cache)) return;
    const problem = sizeProblem(openFile, await this.#parts.settings.get());
    if (problem) throw fault("invalid", problem.message, { field: problem.field });
  }

  /** Undefined: as it was, for its schedule is. */
  async #nextRunAt(job: NewJob, stored: Job | null): Promise<Date | null | undefined> {
    if (stored && stored.hostId === job.hostId && isDeepStrictEqual(stored.schedule, job.schedule)) return undefined;
    if (job.schedule === null) return null;
    const zone = await this.#zoneOf(job);
    const now = this.#parts.now();
    const problem = scheduleProblem(job.schedule, zone, now);
    if (problem !== null) throw fault("invalid", `This schedule cannot be: ${problem}.`, { field: "schedule" });
    return stored?.paused ? null : nextStart(job.schedule, zone, now);
  }

  async #zoneOf({ schedule, hostId }: Pick<Job, "schedule" | "hostId">): Promise<string> {
    return scheduleZone(schedule, await this.#parts.hosts.get(hostId));
  }

  /** Its runs stay in the history. */
  async remove(id: string): Promise<void> {
    const job = await this.get(id);
    const { lastRun: _, waitingFor: __, ...before } = job;
    noteChange({ subject: job.name, before });
    const active = (await this.#parts.runs.active(job.hostId)).find((run) => run.job.id === id);
    if (active) throw fault("conflict", `“${job.name}” is running (run ${active.number}). Cancel it first.`);
    await this.#parts.jobs.remove(id);
  }

  async testHook({ hostId, ...trial }: { hostId: string } & HostInput<"hook.test">): Promise<HookTrial> {
    noteChange({ subject: trial.jobName || null });
    return this.#parts.hosts.ask(hostId, "hook.test", trial);
  }

  async checkRepository({ hostId, repository, password, jobId }: RepositoryCheck): Promise<{ created: boolean }> {
    const known = password ?? (jobId === undefined ? null : await this.storedPassword(jobId));
    if (known === null) throw fault("invalid", "Enter the repository's password.", { field: "password" });
    return this.#parts.hosts.ask(hostId, "repository.prepare", { repository, password: known });
  }

  /** Only ever sent to the job's host. */
  async storedPassword(jobId: string): Promise<string | null> {
    const sealed = await this.#parts.jobs.sealedPassword(jobId);
    return sealed === null ? null : this.#parts.vault.open(sealed, jobId);
  }
}

const withEffective = (job: Job, settings: Settings): EffectiveJob => ({
  ...job,
  effectiveMode: effectiveMode(job.openFile.oneAtATime, settings.oneAtATime),
  effectiveOpenFile: effectiveOpenFile(job.openFile, settings),
});
