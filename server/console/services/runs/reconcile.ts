/**
 * Runs that a worker has forgotten. A worker says at each connection which runs it carries. A run that the
 * console thinks active and the worker does not carry has either ended, its last events still waiting in the
 * worker's outbox, or been lost (a worker whose state was wiped, a start that never arrived). So the outbox
 * is awaited first: a lost acknowledgement must never turn a finished run into an interrupted one.
 *
 * The other way round, a worker may carry a run that was given up here because no answer to its start came. It
 * says so when it connects, or by the run's first event, and is then told to cancel it. A run that the worker
 * itself has ended is none of these, also while it still counts as carried there.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Evidence, Run } from "@/server/core/contracts/run";
import { inWords } from "@/server/core/runs/phase-words";
import { isEnded } from "@/server/core/runs/phases";
import type { RunStore } from "../../data/runs";
import type { RunLog } from "./run-log";

const POLL_MS = 100;

export class Reconciler {
  readonly #runs: RunStore;
  readonly #log: RunLog;
  readonly #logger: Logger;

  constructor(runs: RunStore, log: RunLog, logger: Logger) {
    this.#runs = runs;
    this.#log = log;
    this.#logger = logger;
  }

  /** Runs that the host should carry and does not. Ask before the host can be given new ones. */
  async missing(hostId: string, carried: string[]): Promise<string[]> {
    const active = await this.#runs.active(hostId);
    return active.map((run) => run.id).filter((id) => !carried.includes(id));
  }

  /** Ends those that are still without an end once `outboxStored`. The signal: the connection broke; the next one asks anew. */
  async settle(missing: string[], outboxStored: () => boolean, signal: AbortSignal): Promise<void> {
    if (missing.length === 0) return;
    while (!outboxStored()) {
      await sleep(POLL_MS);
      if (signal.aborted) return;
    }
    for (const id of missing) {
      const run = await this.#runs.find(id);
      if (run && !isEnded(run.state)) await this.#interrupt(run);
    }
  }

  /** Those of a worker's runs that this console ended without the worker. */
  async givenUp(carried: string[]): Promise<string[]> {
    const found: string[] = [];
    for (const id of new Set(carried)) {
      const run = await this.#runs.find(id);
      if (run && run.state === "failed" && run.code === "OFO-COMM" && run.startedAt === null) found.push(id);
    }
    return found;
  }

  async #interrupt(run: Run): Promise<void> {
    this.#logger.warn({ runId: run.id }, "the host no longer knows this run");
    const at = new Date().toISOString();
    const message = `The worker restarted or lost its state while the run was ${inWords(run.state)}.`;
    const evidence: Evidence = { lastPhase: run.state, cleaned: [] };
    await this.#log.add(run.id, [
      { type: "log", at, level: "error", text: message, code: "SF-106" },
      { type: "failure", at, code: "SF-106", volume: null, message, evidence },
      { type: "ended", at, outcome: "interrupted", code: "SF-106" },
    ]);
  }
}
