/** Gathers the figures for `/metrics`. Scrapes that come at once share one answer. */
import type { CacheView, HostView } from "@/server/core/contracts/views";
import type { EndedRuns, FigureStore } from "../../data/figures";
import type { Cache } from "../cache/cache";
import type { Hosts } from "../hosts/hosts";
import type { Jobs } from "../jobs/jobs";
import type { Runs } from "../runs/runs";
import type { Telemetry } from "../telemetry/telemetry";
import type { Volumes } from "../volumes/volumes";
import { exposition } from "./exposition";
import type { MeasuredRuns } from "./measured-runs";
import { OPEN_METRICS } from "./open-metrics";

/** A host that hangs must not hang the scrape; Prometheus itself waits 10 s. */
const HOST_ANSWERS_WITHIN_MS = 3_000;

type Parts = {
  figures: FigureStore;
  measured: MeasuredRuns;
  hosts: Hosts;
  volumes: Volumes;
  telemetry: Telemetry;
  cache: Cache;
  jobs: Jobs;
  runs: Runs;
  version: string;
};

export class Metrics {
  readonly contentType = OPEN_METRICS;
  readonly #parts: Parts;
  /** As they were after so many endings: they are summed up again only when another run has ended. */
  #endedRuns: { after: number; runs: EndedRuns[] } | null = null;
  #underWay: Promise<string> | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The whole answer, as OpenMetrics. */
  text(): Promise<string> {
    this.#underWay ??= this.#gather().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #gather(): Promise<string> {
    const { figures, measured, hosts, volumes, telemetry, jobs, runs, version } = this.#parts;
    const list = await hosts.list();
    const [v, j, endedRuns, active, failures, { caches, silent }] = await Promise.all([
      volumes.list(),
      jobs.list(),
      this.#ended(),
      runs.active(),
      figures.failures(),
      this.#caches(list.filter((host) => host.connected)),
    ]);
    const now = exposition({
      version,
      hosts: list,
      volumes: v,
      samples: telemetry.latest(),
      caches,
      silent,
      jobs: j,
      endedRuns,
      activeRuns: active.length,
      failures,
    });
    measured.addTo(now);
    return now.metrics();
  }

  async #ended(): Promise<EndedRuns[]> {
    const { figures, measured } = this.#parts;
    const after = measured.endings;
    if (this.#endedRuns?.after !== after) this.#endedRuns = { after, runs: await figures.endedRuns() };
    return this.#endedRuns.runs;
  }

  async #caches(connected: HostView[]): Promise<{ caches: CacheView[]; silent: ReadonlySet<string> }> {
    const silent = new Set<string>();
    const caches = await Promise.all(
      connected.map(async ({ id }) => {
        const told = await inTime(this.#parts.cache.list(id));
        if (!told) silent.add(id);
        return told ?? [];
      }),
    );
    return { caches: caches.flat(), silent };
  }
}

/** Null when it fails or is late. */
async function inTime<T>(asked: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, HOST_ANSWERS_WITHIN_MS, null);
  });
  try {
    return await Promise.race([asked, late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}
