/** Runs: starting them, cancelling them, and what is known of them. */
import { randomUUID } from "node:crypto";
import type { Job, RunSpec } from "@/server/core/contracts/job";
import type { Run, RunEvent } from "@/server/core/contracts/run";
import type { LiveSample, RunDetail, RunFollow } from "@/server/core/contracts/views";
import type { EvidenceFor } from "@/server/core/errors/evidence";
import { errorTable } from "@/server/core/errors/table";
import type { Page } from "@/server/core/lists/paging";
import type { RunListQuery } from "@/server/core/lists/run-list";
import { effectiveMode } from "@/server/core/planning/groups";
import { isEnded } from "@/server/core/runs/phases";
import { effectiveOpenFile } from "@/server/core/settings/effective-open-file";
import type { JobStore } from "../../data/jobs";
import type { DueRun, RunFilter, RunStore } from "../../data/runs";
import type { SettingStore } from "../../data/settings";
import { noteChange, whoActs } from "../audit/change-note";
import { FaultError, fault, UnansweredError } from "../fault-error";
import type { Hosts } from "../hosts/hosts";
import { unreachableMessage } from "../hosts/unreachable";
import type { Vault } from "../secrets/vault";
import type { RunRecorder } from "../telemetry/run-recorder";
import type { Telemetry } from "../telemetry/telemetry";
import type { RunLog } from "./run-log";

/** Most events that a run's page loads at first; `follow` brings the rest. */
const MOST_EVENTS = 20_000;
export const BY_SCHEDULE = "schedule";
/** A worker whose connection broke while it was given a run is back after a moment, or it is gone. */
const BACK_WITHIN_MS = 120_000;

type MissedStart = EvidenceFor<"SF-107">;
type Parts = {
  runs: RunStore;
  jobs: JobStore;
  settings: SettingStore;
  log: RunLog;
  hosts: Hosts;
  telemetry: Telemetry;
  recorder: RunRecorder;
  vault: Vault;
};

export class Runs {
  readonly #parts: Parts;
  /** Two starts at once would each find no conflict: they queue here. */
  #starting: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** After a restart of the console: runs that workers went on with are recorded again. */
  async resume(): Promise<void> {
    for (const run of await this.#parts.runs.active()) this.#parts.recorder.begin(run);
  }

  /** Newest first. */
  list(filter: RunFilter): Promise<Run[]> {
    return this.#parts.runs.list(filter);
  }

  page(query: RunListQuery): Promise<Page<Run>> {
    return this.#parts.runs.page(query);
  }

  active(): Promise<Run[]> {
    return this.#parts.runs.active();
  }

  /** By id, or by number. */
  async get(idOrNumber: string): Promise<Run> {
    const run = await this.#parts.runs.findByIdOrNumber(idOrNumber);
    if (!run) throw fault("notFound", "There is no such run.", { field: "run" });
    return run;
  }

  async detail(idOrNumber: string): Promise<RunDetail> {
    const { id } = await this.get(idOrNumber);
    const events = await this.#parts.log.after(id, 0, MOST_EVENTS);
    const [run, samples] = await Promise.all([this.get(id), this.#parts.recorder.history(id)]);
    return { run, events, samples, host: await this.#parts.hosts.get(run.hostId) };
  }

  follow(id: string, position: number, signal: AbortSignal | undefined): AsyncGenerator<RunFollow> {
    return this.#parts.log.follow(id, position, signal);
  }

  async *samples(id: string, signal: AbortSignal | undefined): AsyncGenerator<LiveSample[]> {
    const run = await this.get(id);
    const volumes = run.volumes.map((volume) => volume.name);
    yield* this.#parts.telemetry.follow({ hostId: run.hostId, volumes }, signal);
  }

  /** Starts a job. A host that cannot be reached makes a failed run with its evidence, not an error here. */
  start(jobId: string): Promise<{ runId: string }> {
    return this.#inTurn(async () => {
      const job = await this.#startable(jobId);
      const spec = await this.#specOf(job);
      // Asked first: a host that connects from here on would report the run as one that it does not carry.
      const reachable = this.#parts.hosts.isConnected(job.hostId);
      const run = await this.#parts.runs.create(spec, job.hostId, whoActs());
      if (!run) throw new Error("a run that stands for no time of a schedule can always be made");
      if (reachable) await this.#begin(run, spec);
      else await this.#endUnreachable(run);
      return { runId: run.id };
    });
  }

  /**
   * Starts a job whose time has come; `notes` go into the run's log. Null: there is nothing to start any more. Throws
   * a fault of the kind `conflict` or `unavailable` while it has to wait.
   */
  startDue(jobId: string, due: DueRun, notes: string[]): Promise<Run | null> {
    return this.#inTurn(async () => {
      const job = await this.#startable(jobId);
      const spec = await this.#specOf(job);
      if (!this.#parts.hosts.isConnected(job.hostId)) throw await this.#parts.hosts.unreachable(job.hostId);
      const run = await this.#parts.runs.create(spec, job.hostId, BY_SCHEDULE, due);
      if (!run) return null;
      const at = new Date().toISOString();
      await this.#parts.log.add(
        run.id,
        notes.map((text) => ({ type: "log", at, level: "warn", text, code: null })),
      );
      try {
        await this.#ask(run, spec);
      } catch (error) {
        // Something at the host that the console does not know of is in its way: another program, or its own end.
        const kind = error instanceof FaultError ? error.fault.kind : null;
        if (kind !== "busy" && kind !== "conflict") {
          await this.#notBegun(run, error);
          return run;
        }
        this.#parts.recorder.end(run.id);
        await this.#parts.runs.takeBack(run, due);
        throw error;
      }
      return run;
    });
  }

  /** A time of the schedule passed without a run. A failed one stands for it, with the cause: SF-107, or that its host was away. */
  missed(job: Job, due: DueRun, cause: MissedStart | "unreachable"): Promise<Run | null> {
    return this.#inTurn(async () => {
      const run = await this.#parts.runs.create(await this.#specOf(job), job.hostId, BY_SCHEDULE, due);
      if (!run) return null;
      if (cause === "unreachable") {
        await this.#endUnreachable(run);
        return run;
      }
      const at = new Date().toISOString();
      const message = errorTable["SF-107"].sentence(cause);
      await this.#parts.log.add(run.id, [
        { type: "failure", at, code: "SF-107", volume: null, message, evidence: cause },
        { type: "ended", at, outcome: "failed", code: "SF-107" },
      ]);
      return run;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#starting.then(work);
    this.#starting = done.catch(() => {});
    return done;
  }

  async #startable(jobId: string): Promise<Job> {
    const { jobs, runs } = this.#parts;
    const job = await jobs.find(jobId);
    if (!job) throw fault("notFound", "There is no such job.", { field: "id" });
    noteChange({ subject: job.name });
    if (job.paused) throw fault("conflict", `“${job.name}” is paused. Continue it first.`);
    refuseConflict(job, await runs.active(job.hostId));
    if (job.hooks.length > 0) await this.#parts.hosts.requireSupport(job.hostId, "hooks", `“${job.name}”`);
    return job;
  }

  async #specOf(job: Job): Promise<RunSpec> {
    const { jobs, settings, vault } = this.#parts;
    const [sealed, present] = await Promise.all([jobs.sealedPassword(job.id), settings.get()]);
    return {
      runId: randomUUID(),
      jobId: job.id,
      jobName: job.name,
      mode: effectiveMode(job.openFile.oneAtATime, present.oneAtATime),
      selection: job.selection,
      openFile: effectiveOpenFile(job.openFile, present),
      destination: job.destination,
      hooks: job.hooks,
      password: sealed === null ? null : vault.open(sealed, job.id),
    };
  }

  #begin(run: Run, spec: RunSpec): Promise<void> {
    return this.#ask(run, spec).catch((error) => this.#notBegun(run, error));
  }

  async #ask(run: Run, spec: RunSpec): Promise<void> {
    this.#parts.recorder.begin(run);
    await this.#parts.hosts.ask(run.hostId, "run.start", spec);
  }

  async #notBegun(run: Run, error: unknown): Promise<void> {
    if (!(error instanceof FaultError)) throw error;
    // Whether the host has begun is not known. One that hangs is told to cancel if it does begin after all, one
    // whose connection broke says at the next one what it carries (both: reconcile.ts).
    if (error instanceof UnansweredError) return this.#endUnreachable(run);
    if (error.fault.kind === "unavailable") return this.#giveUpLater(run);
    const { message, code, evidence } = error.fault;
    const at = new Date().toISOString();
    const failure: RunEvent[] =
      code === null ? [] : [{ type: "failure", at, code, volume: null, message, evidence: evidence ?? {} }];
    await this.#parts.log.add(run.id, [
      { type: "log", at, level: "error", text: message, code },
      ...failure,
      { type: "ended", at, outcome: "failed", code },
    ]);
  }

  /** The connection broke before the answer: a host that stays away leaves the run unstarted. */
  #giveUpLater({ id, hostId }: Run): void {
    const giveUp = async () => {
      const run = await this.#parts.runs.find(id);
      if (run?.state === "queued" && !this.#parts.hosts.isConnected(hostId)) await this.#endUnreachable(run);
    };
    // A console that is stopping has no database any more; its successor is told by the worker.
    setTimeout(() => void giveUp().catch(() => {}), BACK_WITHIN_MS).unref();
  }

  async #endUnreachable(run: Run): Promise<void> {
    const { hosts, log } = this.#parts;
    const at = new Date().toISOString();
    const message = unreachableMessage(await hosts.get(run.hostId));
    const evidence = await hosts.unreachableEvidence(run.hostId);
    await log.add(run.id, [
      { type: "failure", at, code: "OFO-COMM", volume: null, message, evidence },
      { type: "ended", at, outcome: "failed", code: "OFO-COMM" },
    ]);
  }

  async cancel(idOrNumber: string): Promise<void> {
    const run = await this.get(idOrNumber);
    noteChange({ subject: `${run.job.name}, run ${run.number}` });
    if (isEnded(run.state)) throw fault("conflict", `Run ${run.number} has already ended.`);
    try {
      await this.#parts.hosts.ask(run.hostId, "run.cancel", { runId: run.id });
    } catch (error) {
      const unknownThere = error instanceof FaultError && error.fault.kind === "notFound";
      if (!unknownThere) throw error;
      const at = new Date().toISOString();
      await this.#parts.log.add(run.id, [
        { type: "log", at, level: "warn", text: "The host does not know this run.", code: null },
        { type: "ended", at, outcome: "cancelled", code: null },
      ]);
    }
  }
}

function refuseConflict(job: Job, active: Run[]): void {
  for (const run of active) {
    if (run.job.id === job.id) throw fault("conflict", `“${job.name}” is already running (run ${run.number}).`);
    const shared = run.volumes.find((volume) => job.selection.volumes.includes(volume.name));
    if (!shared) continue;
    throw fault(
      "conflict",
      `Volume ${shared.name} is being backed up by “${run.job.name}” (run ${run.number}). Start “${job.name}” when it has ended.`,
    );
  }
}
