/** How long a job's snapshots will be open, before it runs: as long as its backup reads. */
import type { Run } from "../contracts/run";

/** Where a job has not run yet: what one disk and one backup program usually reach. */
export const ASSUMED_BYTES_PER_SECOND = 100 * 1024 * 1024;
/** Even of an empty volume a backup takes some seconds. */
const LEAST_MS = 10_000;
/** Older runs say less: what there is to read grows. */
const RUNS_LOOKED_AT = 10;

export type DurationBasis =
  /** The longest of so many past runs of the same volumes. */
  { kind: "runs"; runs: number } | { kind: "assumed"; bytesPerSecond: number };

export interface ExpectedDuration {
  /** All snapshots open together. */
  allAtOnceMs: number;
  /** Of each volume alone; they add up to the whole. */
  oneAtATimeMs: Readonly<Record<string, number>>;
  basis: DurationBasis;
}

/** `past`: runs of the job, the newest first; those of other volumes, or that did not end well, say nothing. */
export function expectedDuration(
  volumes: readonly { name: string; usedBytes: number }[],
  past: readonly Run[],
): ExpectedDuration {
  const names = key(volumes);
  const took = past
    .filter((run) => (run.state === "succeeded" || run.state === "warnings") && key(run.volumes) === names)
    .slice(0, RUNS_LOOKED_AT)
    .flatMap((run) => openFor(run) ?? []);
  const used = volumes.reduce((sum, one) => sum + one.usedBytes, 0);
  const runs = took.length > 0;
  const whole = Math.max(LEAST_MS, runs ? Math.max(...took) : (used / ASSUMED_BYTES_PER_SECOND) * 1000);
  const shareOf = (bytes: number) => (used === 0 ? 1 / Math.max(1, volumes.length) : bytes / used);
  return {
    allAtOnceMs: whole,
    oneAtATimeMs: Object.fromEntries(volumes.map(({ name, usedBytes }) => [name, whole * shareOf(usedBytes)])),
    basis: runs ? { kind: "runs", runs: took.length } : { kind: "assumed", bytesPerSecond: ASSUMED_BYTES_PER_SECOND },
  };
}

function key(volumes: readonly { name: string }[]): string {
  return JSON.stringify(volumes.map(({ name }) => name).sort());
}

/** From the first instant to the end; null where a run took no snapshot. */
function openFor({ volumes, endedAt }: Run): number | null {
  const instants = volumes.flatMap(({ takenAt }) => (takenAt === null ? [] : [Date.parse(takenAt)]));
  return endedAt === null || instants.length === 0 ? null : Date.parse(endedAt) - Math.min(...instants);
}
