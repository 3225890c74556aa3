/** Runs: what they were started with, where they stand, and their number. */
import { z } from "zod";
import { type RunSpec, runSpecSchema } from "@/server/core/contracts/job";
import { type Run, runSchema } from "@/server/core/contracts/run";
import { type Page, pageAt } from "@/server/core/lists/paging";
import type { RunListQuery } from "@/server/core/lists/run-list";
import { initialRun } from "@/server/core/runs/reduce";
import { type Database, patient } from "./database";
import type { Prisma, Run as RunRow } from "./generated/client";

/** A RunSpec as it is kept: the password stays with the job. */
const keptSpecSchema = runSpecSchema.omit({ password: true });
/** `before`: only runs with a smaller number. */
export type RunFilter = {
  jobId?: string | undefined;
  hostId?: string | undefined;
  before?: number | undefined;
  limit: number;
};
/** A start by the schedule: the time that the run stands for, the next one as it was kept, and the one after it. */
export type DueRun = { dueAt: Date; kept: Date; next: Date | null };
export type KeptSpec = z.infer<typeof keptSpecSchema>;

const position = z.coerce.number().int().positive().max(2_147_483_647);

const orders = {
  newest: [{ number: "desc" }],
  oldest: [{ number: "asc" }],
  longest: [{ tookMs: { sort: "desc", nulls: "last" } }, { number: "desc" }],
  job: [{ jobName: "asc" }, { number: "desc" }],
} satisfies Record<RunListQuery["sort"], Prisma.RunOrderByWithRelationInput[]>;

/** Every word is a part of the job's name or of the code, or the run's number. */
function conditions({ text, result, jobId, hostId }: RunListQuery): Prisma.RunWhereInput {
  const words = text.split(/\s+/).filter(Boolean);
  return {
    ...(jobId !== "" && { jobId }),
    ...(hostId !== "" && { hostId }),
    ...(result === "active" ? { active: true } : result !== "" && { result }),
    AND: words.map((word) => {
      const number = position.safeParse(word);
      return {
        OR: [
          { jobName: { contains: word } },
          { code: { contains: word } },
          ...(number.success ? [{ number: number.data }] : []),
        ],
      };
    }),
  };
}

const toRun = (row: RunRow): Run => runSchema.parse(JSON.parse(row.state));

export class RunStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * A queued run with the next number. With `due` it stands for a time of the schedule, and the job's next time is
   * kept in the same step, so no time ever gets two runs. Null: it has one already, or
   * the job's next time is another by now.
   */
  create(spec: RunSpec, hostId: string, startedBy: string | undefined, due?: DueRun): Promise<Run | null> {
    const { password: _, ...kept } = spec;
    return this.#db.$transaction(async (tx) => {
      if (due) {
        const where = { id: spec.jobId, nextRunAt: due.kept, pausedAt: null };
        const { count } = await tx.job.updateMany({ where, data: { nextRunAt: due.next } });
        const taken = await tx.run.findUnique({ where: { jobId_dueAt: { jobId: spec.jobId, dueAt: due.dueAt } } });
        if (count === 0 || taken) return null;
      }
      const last = await tx.run.aggregate({ _max: { number: true } });
      const run = initialRun(spec, {
        number: (last._max.number ?? 0) + 1,
        hostId,
        ...(startedBy !== undefined && { startedBy }),
        ...(due && { dueAt: due.dueAt.toISOString() }),
      });
      await tx.run.create({
        data: {
          id: run.id,
          number: run.number,
          jobId: spec.jobId,
          hostId,
          active: true,
          spec: JSON.stringify(kept),
          state: JSON.stringify(run),
          ...(due && { dueAt: due.dueAt }),
        },
      });
      return run;
    }, patient);
  }

  /** The worker took nothing up: as if it had never been made, and its time is due again. */
  async takeBack(run: Run, due: DueRun): Promise<void> {
    await this.#db.$transaction([
      this.#db.run.delete({ where: { id: run.id } }),
      this.#db.job.updateMany({ where: { id: run.job.id, nextRunAt: due.next }, data: { nextRunAt: due.kept } }),
    ]);
  }

  async find(id: string): Promise<Run | null> {
    const row = await this.#db.run.findUnique({ where: { id } });
    return row && toRun(row);
  }

  /** By id, or by the number that people use. */
  async findByIdOrNumber(text: string): Promise<Run | null> {
    const number = position.safeParse(text);
    const row = await this.#db.run.findFirst({
      where: { OR: [{ id: text }, ...(number.success ? [{ number: number.data }] : [])] },
    });
    return row && toRun(row);
  }

  async spec(id: string): Promise<KeptSpec | null> {
    const row = await this.#db.run.findUnique({ where: { id }, select: { spec: true } });
    return row && keptSpecSchema.parse(JSON.parse(row.spec));
  }

  /** Newest first. */
  async list({ limit, before, ...of }: RunFilter): Promise<Run[]> {
    const rows = await this.#db.run.findMany({
      where: { ...of, ...(before !== undefined && { number: { lt: before } }) },
      orderBy: { number: "desc" },
      take: limit,
    });
    return rows.map(toRun);
  }

  async page(query: RunListQuery): Promise<Page<Run>> {
    const where = conditions(query);
    const [total, all] = await Promise.all([this.#db.run.count({ where }), this.#db.run.count()]);
    const { page, pages, skip, take } = pageAt(total, query.page);
    const rows = await this.#db.run.findMany({ where, orderBy: orders[query.sort], skip, take });
    return { items: rows.map(toRun), page, pages, first: rows.length === 0 ? 0 : skip + 1, total, all };
  }

  async active(hostId?: string): Promise<Run[]> {
    const rows = await this.#db.run.findMany({
      where: { active: true, ...(hostId === undefined ? {} : { hostId }) },
      orderBy: { number: "desc" },
    });
    return rows.map(toRun);
  }

  /** The newest run of each job. */
  async lastByJob(): Promise<Map<string, Run>> {
    const newest = await this.#db.run.groupBy({ by: ["jobId"], _max: { number: true } });
    const numbers = newest.flatMap((group) => (group._max.number === null ? [] : [group._max.number]));
    const rows = await this.#db.run.findMany({ where: { number: { in: numbers } } });
    return new Map(rows.map((row) => [row.jobId, toRun(row)]));
  }
}
