/**
 * The figures of a moment as OpenMetrics. Names follow Prometheus' practice: base units, `_total` for what only grows.
 * A job is labelled `backup_job`, for `job` is what Prometheus calls a group of targets. Series of what is gone end,
 * because every answer is made anew.
 */
import {
  Counter,
  type CounterConfiguration,
  Gauge,
  type GaugeConfiguration,
  type OpenMetricsContentType,
  type Registry,
} from "prom-client";
import { outcomeSchema } from "@/server/core/contracts/run";
import type { CacheView, HostView, JobView, LiveSample, VolumeView } from "@/server/core/contracts/views";
import { volumeStateSchema } from "@/server/core/contracts/volume";
import { errorCodes } from "@/server/core/errors/codes";
import type { EndedRuns, FailureCount } from "../../data/figures";
import { openMetricsRegistry } from "./open-metrics";

export type Figures = {
  version: string;
  hosts: HostView[];
  volumes: VolumeView[];
  samples: LiveSample[];
  caches: CacheView[];
  /** Ids of connected hosts that did not tell their caches in time. */
  silent: ReadonlySet<string>;
  jobs: JobView[];
  endedRuns: EndedRuns[];
  activeRuns: number;
  failures: FailureCount[];
};

type Labels = Record<string, string>;
type Series = [Labels, number][];

const seconds = (at: string) => Date.parse(at) / 1000;

export function exposition(figures: Figures): Registry<OpenMetricsContentType> {
  const made = openMetricsRegistry();
  const gauge = (name: string, help: string, labelNames: string[], series: Series) => {
    const configuration: GaugeConfiguration<string> = {
      name: `stillframe_${name}`,
      help,
      labelNames,
      registers: [made],
    };
    const metric = new Gauge(configuration);
    for (const [labels, value] of series) metric.set(labels, value);
  };
  const counter = (name: string, help: string, labelNames: string[], series: Series) => {
    const configuration: CounterConfiguration<string> = {
      name: `stillframe_${name}_total`,
      help,
      labelNames,
      registers: [made],
    };
    const metric = new Counter(configuration);
    for (const [labels, value] of series) metric.inc(labels, value);
  };
  gauge("build_info", "The console's version.", ["version"], [[{ version: figures.version }, 1]]);
  ofHosts(figures, gauge);
  ofVolumes(figures, gauge, counter);
  ofCaches(figures, gauge);
  ofRuns(figures, gauge, counter);
  ofFailures(figures, gauge, counter);
  return made;
}

type Add = (name: string, help: string, labelNames: string[], series: Series) => void;

function ofHosts({ hosts, silent }: Figures, gauge: Add): void {
  gauge(
    "host_connected",
    "Whether the host's worker is connected.",
    ["host"],
    hosts.map((host) => [{ host: host.name }, Number(host.connected)]),
  );
  gauge(
    "host_last_seen_timestamp_seconds",
    "When the host's worker was last heard of.",
    ["host"],
    hosts.flatMap(({ name, lastSeenAt }) => (lastSeenAt ? [[{ host: name }, seconds(lastSeenAt)]] : [])),
  );
  gauge(
    "host_answers",
    "Whether a connected host told its cache locations in time for this answer.",
    ["host"],
    hosts.filter((host) => host.connected).map(({ id, name }) => [{ host: name }, Number(!silent.has(id))]),
  );
}

function ofVolumes({ hosts, volumes, samples }: Figures, gauge: Add, counter: Add): void {
  const nameOf = hostNames(hosts);
  const labels = ["host", "volume"];
  const ofVolume = (value: (volume: VolumeView) => number): Series =>
    volumes.map((volume) => [{ host: nameOf(volume.hostId), volume: volume.name }, value(volume)]);
  gauge(
    "volume_size_bytes",
    "Size of the volume's file system.",
    labels,
    ofVolume((v) => v.sizeBytes),
  );
  gauge(
    "volume_used_bytes",
    "Room that is used on it.",
    labels,
    ofVolume((v) => v.usedBytes),
  );
  gauge(
    "volume_state",
    "1 for the state that the volume is in, as last heard of.",
    [...labels, "state"],
    volumes.flatMap(({ hostId, name, state }) =>
      volumeStateSchema.options.map((one): Series[number] => [
        { host: nameOf(hostId), volume: name, state: one },
        Number(one === state),
      ]),
    ),
  );
  const ofSample = (value: (sample: LiveSample) => number | null): Series =>
    samples.flatMap((sample) => {
      const found = value(sample);
      return found === null ? [] : [[{ host: nameOf(sample.hostId), volume: sample.volume }, found]];
    });
  const total = (name: string, help: string, value: (sample: LiveSample) => number) =>
    counter(`volume_${name}`, `${help} since the volume was attached.`, labels, ofSample(value));
  total("writes", "Writes", (s) => s.writes);
  total("written_bytes", "Bytes written", (s) => s.writeBytes);
  total("reads", "Reads", (s) => s.reads);
  total("read_bytes", "Bytes read", (s) => s.readBytes);
  const now = (name: string, help: string, value: (sample: LiveSample) => number | null) =>
    gauge(name, help, labels, ofSample(value));
  now("volume_quiet_seconds", "Time without a write, up to the last sample.", (s) => s.quietMs / 1000);
  now("volume_last_write_timestamp_seconds", "When the volume was last written to.", (s) =>
    s.lastWriteAt ? seconds(s.lastWriteAt) : null,
  );
  now("volume_sample_timestamp_seconds", "When the volume's engine was last measured.", (s) => seconds(s.at));
  now("volume_open_snapshots", "Snapshots that are open.", (s) => s.openSnapshots);
  now("snapshot_cache_used_bytes", "What the open snapshots' caches hold.", (s) => s.cacheUsedBytes);
  now("snapshot_cache_reserved_bytes", "What is reserved for them.", (s) => s.cacheReservedBytes);
  now("snapshot_cache_max_bytes", "What they may grow to; 0 without a snapshot.", (s) => s.cacheMaxBytes);
}

function ofCaches({ hosts, caches }: Figures, gauge: Add): void {
  const nameOf = hostNames(hosts);
  const each = (name: string, help: string, value: (cache: CacheView) => number) =>
    gauge(
      `cache_location_${name}`,
      help,
      ["host", "location"],
      caches.map((cache) => [{ host: nameOf(cache.hostId), location: cache.path }, value(cache)]),
    );
  each("size_bytes", "Size of the file system that the location lies on.", (c) => c.totalBytes);
  each("free_bytes", "Free room there.", (c) => c.freeBytes);
  each("reserved_bytes", "Reserved by open caches.", (c) => c.reservedBytes);
  each("used_bytes", "Used by open caches.", (c) => c.usedBytes);
  each("snapshots", "Snapshots with their cache there.", (c) => c.snapshots.length);
  each("orphans", "Cache files that belong to no snapshot.", (c) => c.orphans.length);
  each("orphan_bytes", "What those take.", (c) => c.orphans.reduce((sum, orphan) => sum + orphan.sizeBytes, 0));
}

function ofRuns({ hosts, jobs, endedRuns, activeRuns }: Figures, gauge: Add, counter: Add): void {
  const present = new Map(jobs.map((job) => [job.id, job.name]));
  const labelled = endedRuns.map((one) => ({ ...one, job: present.get(one.jobId) ?? one.jobName }));
  counter(
    "runs",
    "Runs that have ended.",
    ["backup_job", "outcome"],
    [
      // Every outcome of every job is there before the first: an increase from nothing would not be seen.
      ...jobs.flatMap(({ name }) =>
        outcomeSchema.options.map((outcome): Series[number] => [{ backup_job: name, outcome }, 0]),
      ),
      ...labelled.map(({ job, outcome, count }): Series[number] => [{ backup_job: job, outcome }, count]),
    ],
  );
  gauge("runs_active", "Runs that are on.", [], [[{}, activeRuns]]);
  const nameOf = hostNames(hosts);
  const labels = ["backup_job", "host"];
  const ofJobs = (value: (job: JobView) => number | null): Series =>
    jobs.flatMap((job) => {
      const found = value(job);
      return found === null ? [] : [[{ backup_job: job.name, host: nameOf(job.hostId) }, found]];
    });
  gauge(
    "job_paused",
    "Whether the job is paused.",
    labels,
    ofJobs((job) => Number(job.paused)),
  );
  gauge(
    "job_last_success_timestamp_seconds",
    "When the job last ended well, with warnings or without; 0: never.",
    labels,
    ofJobs((job) => {
      const good = endedRuns.filter(
        ({ jobId, outcome }) => jobId === job.id && (outcome === "succeeded" || outcome === "warnings"),
      );
      return Math.max(0, ...good.map(({ lastEndedAt }) => (lastEndedAt ? seconds(lastEndedAt) : 0)));
    }),
  );
  gauge(
    "job_last_run_duration_seconds",
    "How long the job's last run took, where it has ended.",
    labels,
    ofJobs(({ lastRun }) =>
      lastRun?.startedAt && lastRun.endedAt ? seconds(lastRun.endedAt) - seconds(lastRun.startedAt) : null,
    ),
  );
}

function ofFailures({ failures }: Figures, gauge: Add, counter: Add): void {
  const of = (value: (count: FailureCount) => number): Series =>
    errorCodes.map((code) => {
      const found = failures.find((count) => count.code === code);
      return [{ code }, found ? value(found) : 0];
    });
  counter(
    "failures",
    "Failures by their code.",
    ["code"],
    of((count) => count.total),
  );
  gauge(
    "failures_unresolved",
    "Failures whose job has not succeeded since.",
    ["code"],
    of((count) => count.unresolved),
  );
}

function hostNames(hosts: HostView[]): (id: string) => string {
  const names = new Map(hosts.map((host) => [host.id, host.name]));
  return (id) => names.get(id) ?? id;
}
