/** Follows a run to its end by its log's positions, so that nothing is shown twice and nothing missed. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Run } from "@/server/core/contracts/run";
import { exitCodes, Failure } from "./failure";
import { eventText } from "./output/run-text";
import type { WorkerConnection } from "./worker-connection";

const pollMs = 300;

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
    let position = 0;
    let cancelled = false;
    for (;;) {
      const { events, ended } = await worker.console("run.log", { run, after: position });
      for (const { position: at, event } of events) {
        position = at;
        const line = eventText(event);
        if (line) print(line);
      }
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
