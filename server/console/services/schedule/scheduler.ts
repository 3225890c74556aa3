/**
 * Starts jobs at the times of their schedules. The rules are `core/planning/due-start.ts`; here they are carried out.
 *
 * All state is in the database: a job's next time stays there until a run stands for it, and both change in one step
 * (`data/runs.ts`). So a console that dies loses no start and makes none twice, and neither do two that run at once.
 * Between two looks it sleeps until the next time that matters; a bell wakes it when a host connects, a run ends or a
 * job changes, for a start that waits may then be possible.
 */
import type { Logger } from "pino";
import type { Job } from "@/server/core/contracts/job";
import { type DueStart, judgeStart, MOST_COUNTED } from "@/server/core/planning/due-start";
import { formatDuration } from "@/server/core/text/duration";
import { formatInstant } from "@/server/core/text/instant";
import type { JobStore } from "../../data/jobs";
import type { DueRun } from "../../data/runs";
import type { Audit } from "../audit/audit";
import { FaultError } from "../fault-error";
import type { Hosts } from "../hosts/hosts";
import type { Jobs } from "../jobs/jobs";
import type { RunLog } from "../runs/run-log";
import { BY_SCHEDULE, type Runs } from "../runs/runs";
import { Topic } from "../topic";
import { scheduleZone } from "./schedule-zone";
import type { Obstacle, WaitingStarts } from "./waiting-starts";

/** The longest sleep: a clock that was set is noticed by then. */
const SLEEP_MS = 60_000;
const AFTER_ERROR_MS = 30_000;
/** Later than this, the run's log says why. */
const PUNCTUAL_MS = 60_000;

type Parts = {
  store: JobStore;
  jobs: Jobs;
  runs: Runs;
  runLog: RunLog;
  hosts: Hosts;
  waiting: WaitingStarts;
  audit: Audit;
  log: Logger;
};
type Due = DueStart & { kind: "due" };
type Missed = DueStart & { kind: "missed" };

export class Scheduler {
  readonly #parts: Parts;
  readonly #now: () => Date;
  readonly #bell = new Topic();
  readonly #closing = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: Parts, now: () => Date) {
    this.#parts = parts;
    this.#now = now;
  }

  start(): void {
    const { hosts, runLog, jobs } = this.#parts;
    for (const topic of [hosts.changes, runLog.ends, jobs.scheduleChanges]) {
      topic.listen(() => this.#bell.announce(""));
    }
    this.#loop = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const bell = this.#bell.bell(() => true, signal);
    while (!signal.aborted) {
      const sleepMs = await this.#look().catch((error) => {
        this.#parts.log.error({ err: error }, "the schedule could not be looked at");
        return AFTER_ERROR_MS;
      });
      await bell.rung(sleepMs);
    }
    bell.stop();
  }

  /** Does what is due; returns how long nothing else will be. */
  async #look(): Promise<number> {
    let wakeAt = this.#now().getTime() + SLEEP_MS;
    for (const job of await this.#parts.store.scheduled()) {
      if (this.#closing.signal.aborted) break;
      const at = await this.#attend(job).catch((error) => {
        this.#parts.log.error({ err: error, job: job.id }, "a scheduled start could not be handled");
        return new Date(this.#now().getTime() + AFTER_ERROR_MS);
      });
      if (at !== null) wakeAt = Math.min(wakeAt, at.getTime());
    }
    return Math.max(1, wakeAt - this.#now().getTime());
  }

  /** When the job is to be looked at again; null: not by itself. */
  async #attend(job: Job): Promise<Date | null> {
    const { store, hosts } = this.#parts;
    if (job.schedule === null) return null;
    const zone = scheduleZone(job.schedule, await hosts.get(job.hostId));
    const kept = job.nextRunAt === null ? null : new Date(job.nextRunAt);
    const judged = judgeStart(job.schedule, zone, kept, this.#now());
    if (kept === null || judged.kind === "later") {
      if (kept?.getTime() !== judged.next?.getTime()) await store.setNextRunAt(job.id, kept, judged.next);
      return judged.next;
    }
    if (judged.kind === "missed") await this.#miss(job, kept, judged);
    else if (!(await this.#tryStart(job, kept, judged)))
      return firstOf(new Date(judged.until.getTime() + 1), judged.next);
    this.#parts.waiting.settle(job.id);
    return judged.next;
  }

  /** Whether it need not be tried again. */
  async #tryStart(job: Job, kept: Date, judged: Due): Promise<boolean> {
    const { runs, waiting, audit, log } = this.#parts;
    const { dueAt, next } = judged;
    try {
      const run = await runs.startDue(job.id, { dueAt, kept, next }, this.#notes(job, judged));
      if (run === null) return true;
      log.info({ job: job.name, run: run.number, dueAt }, "started by schedule");
      const note = { subject: job.name, before: null, after: { run: run.number, dueAt: dueAt.toISOString() } };
      const actor = { by: BY_SCHEDULE, role: null, address: null };
      await audit.record(actor, "jobs.run", { id: job.id }, { outcome: "done", message: null }, note);
      return true;
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      const { kind, message } = error.fault;
      if (kind === "notFound") return true;
      if (kind !== "conflict" && kind !== "busy" && kind !== "unavailable") throw error;
      if (this.#obstacle(job, dueAt) === undefined) log.info({ job: job.name, message }, "a scheduled start waits");
      waiting.set(job.id, { dueAt, kind: kind === "unavailable" ? "unreachable" : "busy", message });
      return false;
    }
  }

  async #miss(job: Job, kept: Date, { firstAt, dueAt, times, next }: Missed): Promise<void> {
    const { runs, log } = this.#parts;
    const due: DueRun = { dueAt, kept, next };
    const obstacle = this.#obstacle(job, dueAt);
    log.warn({ job: job.name, dueAt, times, obstacle }, "a scheduled start was missed");
    if (obstacle?.kind === "unreachable") {
      await runs.missed(job, due, "unreachable");
      return;
    }
    await runs.missed(job, due, {
      cause: obstacle ? "busy" : "consoleDown",
      holder: obstacle?.message ?? null,
      firstAt: firstAt.toISOString(),
      dueAt: dueAt.toISOString(),
      times,
      graceMinutes: job.schedule?.graceMinutes ?? 1,
    });
  }

  #obstacle(job: Job, dueAt: Date): Obstacle | undefined {
    const found = this.#parts.waiting.of(job.id);
    return found?.dueAt.getTime() === dueAt.getTime() ? found : undefined;
  }

  /** What somebody who reads the run's log should know of its beginning. */
  #notes(job: Job, { dueAt, missedBefore }: Due): string[] {
    const notes: string[] = [];
    const lateMs = this.#now().getTime() - dueAt.getTime();
    if (lateMs > PUNCTUAL_MS) {
      const why = this.#obstacle(job, dueAt)?.message ?? "The console was not running then.";
      notes.push(`due at ${formatInstant(dueAt.toISOString())}, started ${formatDuration(lateMs)} late. ${why}`);
    }
    if (missedBefore > 0) {
      const count = missedBefore === MOST_COUNTED ? `${MOST_COUNTED} or more` : missedBefore;
      notes.push(`${count} earlier ${missedBefore === 1 ? "time" : "times"} of the schedule passed without a run`);
    }
    return notes;
  }
}

function firstOf(a: Date, b: Date | null): Date {
  return b !== null && b < a ? b : a;
}
