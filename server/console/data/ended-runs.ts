/**
 * From the end of a run to the messages about it. The end is stored together with a row of `EndedRun`; the row goes
 * in the one transaction that stores the messages and what is kept quiet, so each end is considered exactly once.
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { errorCodeSchema } from "@/server/core/contracts/error-code";
import type { Message } from "@/server/core/contracts/notifications";
import { evidenceSchema, type Run, runSchema } from "@/server/core/contracts/run";
import type { FailureFacts } from "@/server/core/notifications/message";
import type { Quiet } from "@/server/core/notifications/quiet-repetition";
import { isEnded } from "@/server/core/runs/phases";
import { type Database, patient, type Queries } from "./database";
import type { NotificationQuiet } from "./generated/client";

const BATCH = 50;
/** Cancelled runs in a row, before the one that says how the job was. */
const LOOKED_BACK = 50;

export type NewMessage = { channelId: string; message: Message };
export type EndedRunFacts = { run: Run; failures: FailureFacts[] };

const toRun = (row: { state: string }): Run => runSchema.parse(JSON.parse(row.state));
const toQuiet = (row: NotificationQuiet): Quiet => ({ ...row, until: row.until.getTime() });

export class EndedRunStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Runs whose end was not considered yet, in the order of their numbers. */
  async list(): Promise<Run[]> {
    const rows = await this.#db.endedRun.findMany({
      include: { run: true },
      orderBy: { run: { number: "asc" } },
      take: BATCH,
    });
    return rows.map(({ run }) => toRun(run));
  }

  async facts(runId: string): Promise<EndedRunFacts | null> {
    const row = await this.#db.run.findUnique({
      where: { id: runId },
      include: { failures: { orderBy: { at: "asc" } } },
    });
    if (!row) return null;
    const failures = row.failures.map(({ code, volume, evidence }) => ({
      code: errorCodeSchema.parse(code),
      volume,
      evidence: evidenceSchema.parse(z.json().parse(JSON.parse(evidence))),
    }));
    return { run: toRun(row), failures };
  }

  /** How the job's last run before this one ended, cancelled ones passed over. */
  async stateBefore({ number, job }: Run): Promise<Run["state"] | null> {
    const rows = await this.#db.run.findMany({
      where: { jobId: job.id, number: { lt: number } },
      orderBy: { number: "desc" },
      take: LOOKED_BACK,
    });
    const told = rows.map(toRun).find(({ state }) => isEnded(state) && state !== "cancelled");
    return told?.state ?? null;
  }

  async quietsOf(jobId: string): Promise<Quiet[]> {
    return (await this.#db.notificationQuiet.findMany({ where: { jobId } })).map(toQuiet);
  }

  async quietsOver(now: Date): Promise<Quiet[]> {
    return (await this.#db.notificationQuiet.findMany({ where: { until: { lte: now } } })).map(toQuiet);
  }

  async nextQuietEnd(): Promise<Date | null> {
    return (await this.#db.notificationQuiet.aggregate({ _min: { until: true } }))._min.until;
  }

  /** The end was considered: these messages are to be delivered, and this is the quiet of its job from now on. */
  async considered({ id, job }: Run, messages: NewMessage[], quiets: Quiet[], at: Date): Promise<void> {
    await this.#db.$transaction(async (tx) => {
      await tx.endedRun.deleteMany({ where: { runId: id } });
      await tx.notificationQuiet.deleteMany({ where: { jobId: job.id } });
      for (const quiet of quiets)
        await tx.notificationQuiet.create({ data: { ...quiet, until: new Date(quiet.until) } });
      await addMessages(tx, messages, at);
    }, patient);
  }

  /** A quiet is over: this is told of it, and this is what it goes on as. */
  async quietEnded(over: Quiet, messages: NewMessage[], next: Quiet | null, at: Date): Promise<void> {
    const { channelId, jobId, failure } = over;
    const where = { channelId_jobId_failure: { channelId, jobId, failure } };
    await this.#db.$transaction(async (tx) => {
      if (next === null) await tx.notificationQuiet.delete({ where });
      else await tx.notificationQuiet.update({ where, data: { ...next, until: new Date(next.until) } });
      await addMessages(tx, messages, at);
    }, patient);
  }
}

async function addMessages(tx: Queries, messages: NewMessage[], at: Date): Promise<void> {
  for (const { channelId, message } of messages) {
    await tx.notificationDelivery.create({
      data: {
        id: randomUUID(),
        channelId,
        message: JSON.stringify(message),
        state: "waiting",
        createdAt: at,
        nextAttemptAt: at,
      },
    });
  }
}
