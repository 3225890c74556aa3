/**
 * What the first page shows of a company of any size: of hosts, volumes and caches a handful each, those in trouble
 * first, and how many there are. A page that is asked for again and again must not grow with the company.
 */

import type { Run } from "@/server/core/contracts/run";
import type { CacheView, FailureGroup, HostView, JobView, Overview, VolumeView } from "@/server/core/contracts/views";

export const SHOWN = { hosts: 10, volumes: 12, cache: 8, jobs: 5, failures: 3, recentRuns: 8 } as const;

export type OverviewParts = {
  hosts: readonly HostView[];
  volumes: readonly VolumeView[];
  cache: readonly CacheView[];
  jobs: readonly JobView[];
  /** Open and not acknowledged, the latest first. */
  failures: readonly FailureGroup[];
  /** The latest first. */
  recentRuns: readonly Run[];
  activeRuns: readonly Run[];
  silentChannels: readonly string[];
};

export function overviewDigest(parts: OverviewParts): Overview {
  const { hosts, cache, failures, recentRuns } = parts;
  const names = new Map(hosts.map(({ id, name }) => [id, name]));
  const hostName = (hostId: string) => names.get(hostId) ?? "";
  const volumes = parts.volumes.filter(({ provider, state }) => provider === "engine" || state !== "available");
  const begun = recentRuns.some(({ state }) => state === "succeeded" || state === "warnings");
  const next = [...parts.jobs].sort((a, b) => instantOf(a.nextRunAt) - instantOf(b.nextRunAt));
  return {
    // The first steps need one that is there.
    hosts: worst(hosts, SHOWN.hosts, ({ connected }) => Number(connected !== begun)),
    volumes: worst(
      volumes,
      SHOWN.volumes,
      ({ state, usedBytes, sizeBytes }) => Number(state !== "attached") * 2 + usedBytes / Math.max(1, sizeBytes),
    ).map((one) => ({ ...one, hostName: hostName(one.hostId) })),
    cache: worst(
      cache,
      SHOWN.cache,
      ({ snapshots, totalBytes, freeBytes }) => Number(snapshots.length > 0) - freeBytes / Math.max(1, totalBytes),
    ).map((one) => ({ ...one, hostName: hostName(one.hostId) })),
    jobs: next.slice(0, SHOWN.jobs),
    failures: failures.slice(0, SHOWN.failures),
    recentRuns: recentRuns.slice(0, SHOWN.recentRuns),
    activeRuns: [...parts.activeRuns],
    silentChannels: [...parts.silentChannels],
    begun,
    totals: {
      hosts: hosts.length,
      hostsAway: hosts.filter(({ connected }) => !connected).length,
      volumes: volumes.length,
      caches: cache.length,
      failures: failures.length,
      orphanBytes: cache.flatMap(({ orphans }) => orphans).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    },
  };
}

const instantOf = (at: string | null) => (at === null ? Number.POSITIVE_INFINITY : Date.parse(at));

/** At most so many, the worst of them, in the order that they have. */
function worst<T>(all: readonly T[], most: number, badness: (one: T) => number): T[] {
  if (all.length <= most) return [...all];
  const kept = new Set([...all].sort((a, b) => badness(b) - badness(a)).slice(0, most));
  return all.filter((one) => kept.has(one));
}
