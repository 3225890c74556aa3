/** What passes by in runs' logs, summed up since the console started. */
import { Histogram, type OpenMetricsContentType, type Registry } from "prom-client";
import { isEnded } from "@/server/core/runs/phases";
import type { Change } from "../../data/run-events";

const WAITS_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];
const FREEZES_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export class MeasuredRuns {
  /** How many runs have ended. */
  endings = 0;
  readonly #waits = new Histogram({
    name: "stillframe_quiet_wait_seconds",
    help: "Time that runs waited for a quiet gap before the freeze; found=false where the snapshot was taken without one.",
    labelNames: ["found"],
    buckets: WAITS_SECONDS,
    registers: [],
  });
  readonly #freezes = new Histogram({
    name: "stillframe_freeze_seconds",
    help: "Time that file systems stood frozen while snapshots were taken.",
    buckets: FREEZES_SECONDS,
    registers: [],
  });

  constructor() {
    // Both are there before the first run: a rate begins at nought.
    for (const found of ["true", "false"]) this.#waits.zero({ found });
  }

  addTo(registry: Registry<OpenMetricsContentType>): void {
    for (const metric of [this.#waits, this.#freezes]) registry.registerMetric<string>(metric);
  }

  receive({ before, run, events }: Change): void {
    if (!isEnded(before.state) && isEnded(run.state)) this.endings += 1;
    for (const event of events) {
      if (event.type === "quietEnded") this.#waits.observe({ found: String(!event.timedOut) }, event.waitedMs / 1000);
      if (event.type === "frozen") this.#freezes.observe(event.frozenMs / 1000);
    }
  }
}
