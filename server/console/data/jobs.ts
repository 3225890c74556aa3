/** Jobs and their sealed passwords. */
import { hooksSchema } from "@/server/core/contracts/hooks";
import {
  destinationSchema,
  type Job,
  type JobInput,
  jobOpenFileSchema,
  selectionSchema,
} from "@/server/core/contracts/job";
import { scheduleSchema } from "@/server/core/contracts/schedule";
import type { Database } from "./database";
import type { Job as JobRow } from "./generated/client";

export type NewJob = Omit<JobInput, "password">;
type Row = JobRow & { secret: { jobId: string } | null };

const withSecret = { secret: { select: { jobId: true } } } as const;

function toJob(row: Row): Job {
  return {
    id: row.id,
    name: row.name,
    hostId: row.hostId,
    selection: selectionSchema.parse(JSON.parse(row.selection)),
    openFile: jobOpenFileSchema.parse(JSON.parse(row.openFile)),
    destination: destinationSchema.parse(JSON.parse(row.destination)),
    hooks: row.hooks === null ? [] : hooksSchema.parse(JSON.parse(row.hooks)),
    schedule: row.schedule === null ? null : scheduleSchema.parse(JSON.parse(row.schedule)),
    nextRunAt: row.nextRunAt?.toISOString() ?? null,
    hasPassword: row.secret !== null,
    paused: row.pausedAt !== null,
  };
}

const columns = (job: NewJob) => ({
  name: job.name,
  hostId: job.hostId,
  selection: JSON.stringify(job.selection),
  openFile: JSON.stringify(job.openFile),
  destination: JSON.stringify(job.destination),
  hooks: job.hooks.length === 0 ? null : JSON.stringify(job.hooks),
  schedule: job.schedule === null ? null : JSON.stringify(job.schedule),
});

export class JobStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async list(): Promise<Job[]> {
    return (await this.#db.job.findMany({ include: withSecret, orderBy: { name: "asc" } })).map(toJob);
  }

  names(): Promise<{ id: string; name: string }[]> {
    return this.#db.job.findMany({ select: { id: true, name: true } });
  }

  async find(id: string): Promise<Job | null> {
    const row = await this.#db.job.findUnique({ where: { id }, include: withSecret });
    return row && toJob(row);
  }

  async findByName(name: string): Promise<Job | null> {
    const row = await this.#db.job.findUnique({ where: { name }, include: withSecret });
    return row && toJob(row);
  }

  /** Those that start by themselves, the one that is due first before all others. */
  async scheduled(): Promise<Job[]> {
    const where = { schedule: { not: null }, pausedAt: null };
    return (await this.#db.job.findMany({ where, include: withSecret, orderBy: { nextRunAt: "asc" } })).map(toJob);
  }

  /** `sealed`: the password, already encrypted; undefined, as with `nextRunAt`, keeps what is stored. */
  async save(id: string, job: NewJob, sealed: string | undefined, nextRunAt: Date | null | undefined): Promise<void> {
    const secret = sealed === undefined ? [] : [this.#saveSecret(id, sealed)];
    const data = { ...columns(job), ...(nextRunAt !== undefined && { nextRunAt }) };
    await this.#db.$transaction([
      this.#db.job.upsert({ where: { id }, create: { id, ...data }, update: data }),
      ...secret,
    ]);
  }

  #saveSecret(jobId: string, sealed: string) {
    return this.#db.jobSecret.upsert({ where: { jobId }, create: { jobId, sealed }, update: { sealed } });
  }

  /** `at`: null to go on. */
  async setPaused(id: string, at: Date | null, nextRunAt: Date | null): Promise<void> {
    await this.#db.job.updateMany({ where: { id }, data: { pausedAt: at, nextRunAt } });
  }

  /** Unless it has become another than `kept` meanwhile. */
  async setNextRunAt(id: string, kept: Date | null, next: Date | null): Promise<void> {
    await this.#db.job.updateMany({ where: { id, nextRunAt: kept, pausedAt: null }, data: { nextRunAt: next } });
  }

  async sealedPassword(jobId: string): Promise<string | null> {
    return (await this.#db.jobSecret.findUnique({ where: { jobId } }))?.sealed ?? null;
  }

  /** With it go its open failures from the list of what needs attention: nothing could ever settle them. */
  async remove(id: string): Promise<void> {
    await this.#db.$transaction([
      this.#db.job.deleteMany({ where: { id } }),
      this.#db.failure.updateMany({ where: { jobId: id, resolvedAt: null }, data: { resolvedAt: new Date() } }),
    ]);
  }
}
