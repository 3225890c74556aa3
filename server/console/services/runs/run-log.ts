/** The logs of runs: storing events, and following a log without gaps. */
import type { RunEvent } from "@/server/core/contracts/run";
import type { RunFollow } from "@/server/core/contracts/views";
import { isEnded } from "@/server/core/runs/phases";
import { initialRun } from "@/server/core/runs/reduce";
import { type Change, type EventStore, next, type SequencedEvent } from "../../data/run-events";
import type { RunStore } from "../../data/runs";
import { fault } from "../fault-error";
import type { MeasuredRuns } from "../metrics/measured-runs";
import type { RunRecorder } from "../telemetry/run-recorder";
import { Topic } from "../topic";

const PAGE = 500;

export class RunLog {
  /** Announces the id of a run whose log has grown. */
  readonly growth = new Topic();
  /** Announces the id of a run that has ended. */
  readonly ends = new Topic();
  readonly #events: EventStore;
  readonly #runs: RunStore;
  readonly #recorder: RunRecorder;
  readonly #measured: MeasuredRuns;

  constructor(events: EventStore, runs: RunStore, recorder: RunRecorder, measured: MeasuredRuns) {
    this.#events = events;
    this.#runs = runs;
    this.#recorder = recorder;
    this.#measured = measured;
  }

  /** Stores a worker's events; returns up to where its outbox is stored. `first`: nothing came on this connection before. */
  async store(outboxId: string, batch: SequencedEvent[], first: boolean): Promise<number> {
    const { lastSeq, changes } = await this.#events.storeBatch(outboxId, batch, first);
    this.#publish(changes);
    return lastSeq;
  }

  /** Stores what the console itself found out about a run. */
  async add(runId: string, events: RunEvent[]): Promise<void> {
    this.#publish(await this.#events.storeOwn(runId, events));
  }

  /** Events after a position, oldest first. */
  after(runId: string, position: number, limit: number) {
    return this.#events.after(runId, position, limit);
  }

  /**
   * Every event after `position`, then each new one, with the run as it stands after it. The database is read
   * again at every announcement, so what a follower gets has no gap and no repetition however it came to be
   * stored. Ends with the run.
   */
  async *follow(runId: string, position: number, signal: AbortSignal | undefined): AsyncGenerator<RunFollow> {
    const [spec, present] = await Promise.all([this.#runs.spec(runId), this.#runs.find(runId)]);
    if (!spec || !present) throw fault("notFound", "There is no such run.", { field: "id" });
    let run = initialRun(spec, present);
    let read = 0;
    const bell = this.growth.bell((id) => id === runId, signal);
    try {
      do {
        for (let full = true; full && !signal?.aborted; ) {
          const page = await this.#events.after(runId, read, PAGE);
          for (const step of page) {
            read = step.position;
            run = next(run, step.event);
            if (step.position > position) yield { ...step, run };
          }
          full = page.length === PAGE;
        }
        if (isEnded(run.state)) return;
      } while (await bell.rung());
    } finally {
      bell.stop();
    }
  }

  #publish(changes: Change[]): void {
    for (const change of changes) {
      const { before, run } = change;
      this.#measured.receive(change);
      if (isEnded(run.state)) this.#recorder.end(run.id);
      this.growth.announce(run.id);
      if (isEnded(run.state) && !isEnded(before.state)) this.ends.announce(run.id);
    }
  }
}
