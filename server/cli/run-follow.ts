/** Follows a run to its end by its log's positions, so that nothing is shown twice and nothing missed. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Run, RunEvent } from "@/server/core/contracts/run";
import { quietWait, quietWaitWords, waitedFor } from "@/server/core/runs/quiet-wait";
import { exitCodes, Failure } from "./failure";
import { eventText } from "./output/run-text";
import type { WorkerConnection } from "./worker-connection";

const pollMs = 300;
const waitTellMs = 5000;

/** While the run waits for a quiet window, says now and then how far it is. */
class WaitTeller {
  private heard: RunEvent[] = [];
  private toldAt = Date.now();

  constructor(private readonly print: (line: string) => void) {}

  hear(event: RunEvent): void {
    if (event.type === "phase") this.heard = [];
    if (event.type === "phase" || event.type === "quietGap" || event.type === "quietEnded") this.heard.push(event);
  }

  tell(): void {
    const wait = quietWait(this.heard);
    const now = Date.now();
    if (wait === null || now - Math.max(this.toldAt, Date.parse(wait.since)) < waitTellMs) return;
    this.toldAt = now;
    this.print(`${new Date(now).toISOString()}  ${quietWaitWords(wait, waitedFor(wait, now))}`);
  }
}

/**
 * Prints each event once and returns the run as it ended. On SIGINT or SIGTERM the run is cancelled when
 * it is ours (`cancelOnSignal`), its end awaited, and the command ends as interrupted.
 */
export async function followRun(
  worker: WorkerConnection,
  run: string,
  print: (line: string) => void,
  cancelOnSignal = true,
): Promise<Run> {
  const signal = new AbortController();
  const stop = (): void => signal.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const wait = new WaitTeller(print);
    let position = 0;
    let cancelled = false;
    for (;;) {
      const { events, ended } = await worker.console("run.log", { run, after: position });
      for (const { position: at, event } of events) {
        position = at;
        const line = eventText(event);
        if (line) print(line);
        wait.hear(event);
      }
      wait.tell();
      if (ended && events.length === 0) break;
      if (signal.signal.aborted && !cancelled) {
        cancelled = true;
        if (!cancelOnSignal) throw new Failure("interrupted; the run goes on", exitCodes.interrupted);
        await worker.console("run.cancel", { run });
      }
      if (!ended) await sleep(pollMs, undefined, { signal: signal.signal }).catch(() => sleep(cancelled ? pollMs : 0));
    }
    if (cancelled) throw new Failure("interrupted; the run is cancelled", exitCodes.interrupted);
    return await worker.console("run.show", { run });
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

/** The exit code that a run's outcome stands for, as a failure when it is not 0. */
export function failOnOutcome(run: Run): void {
  switch (run.state) {
    case "failed":
    case "interrupted":
      throw new Failure(`run ${run.number} ${run.state}`, exitCodes.failed, run.code);
    case "cancelled":
      throw new Failure(`run ${run.number} was cancelled`, exitCodes.failed, run.code);
    case "warnings":
      throw new Failure(`run ${run.number} is done, with warnings`, exitCodes.warnings, run.code);
  }
}
