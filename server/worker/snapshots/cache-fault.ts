/** a000851c and SF-102: a cache that could not be had, overflowed, or could not be read back; with the evidence. */
import type { Mode, OpenFile } from "@/server/core/contracts/job";
import type { JudgedLocation } from "@/server/core/planning/cache-choice";
import { forecastCache } from "@/server/core/planning/forecast";
import { formatBytes } from "@/server/core/text/bytes";
import { codedFault, type FaultError } from "../fault";
import type { Host } from "../host";
import { log } from "../log";
import { describeKnown } from "../volumes/discovery";
import type { AttachedVolume } from "../volumes/known-volumes";
import { readMounts } from "../volumes/mount-table";
import type { CurvePoint, Loss } from "./cache-watch";

/** What the whole job wants, for the forecast both ways. */
export interface CacheDemand {
  mode: Mode;
  cache: OpenFile["cache"];
  /** All volumes of the job, not only those of the group. */
  volumes: readonly AttachedVolume[];
}

/** No location has room, or the engine could not reserve it there. */
export async function noCacheRoom(
  host: Host,
  demand: CacheDemand,
  reason: string,
  locations: JudgedLocation[],
  refused?: { volume: string; errno: number | null; cause: Error },
): Promise<FaultError> {
  return codedFault(
    "failed",
    "a000851c",
    reason,
    {
      cause: refused === undefined ? "noLocation" : "noSpace",
      volume: refused?.volume ?? null,
      mode: demand.mode,
      maxBytes: demand.cache.maxBytes,
      errno: refused?.errno ?? null,
      locations,
      curve: [],
      ...(await needs(host, demand, demand.cache)),
      orphanBytes: await orphanBytes(host),
    },
    refused?.cause,
  );
}

/** A snapshot that was lost while it was open. */
export async function snapshotLost(
  host: Host,
  demand: CacheDemand,
  loss: Loss,
  cache: { location: string; maxBytes: number; curve: CurvePoint[] },
): Promise<FaultError> {
  if (loss.cause === "damaged") {
    return codedFault("failed", "SF-102", `the cache of "${loss.volume}" could not be read back: ${loss.detail}`, {
      volume: loss.volume,
      slot: null,
      errno: loss.errno,
      location: cache.location,
      kernelLines: [],
    });
  }
  const place = (await host.caches.candidates(cache.location).catch(() => []))[0];
  const ENOSPC = 28;
  const EDQUOT = 122;
  const full = loss.errno === ENOSPC || loss.errno === EDQUOT;
  const cause = loss.errno === null ? "maximumReached" : full ? "noSpace" : "io";
  // The maximum was not enough, so it says nothing about the need: fall back on the rule.
  const estimate = await needs(host, demand, { initialBytes: 2 * cache.maxBytes, maxBytes: null });
  return codedFault(
    "failed",
    "a000851c",
    `the cache of "${loss.volume}" is full at ${formatBytes(cache.maxBytes)} and its snapshot was released${cause === "maximumReached" ? "" : `: ${loss.detail}`}`,
    {
      cause,
      volume: loss.volume,
      mode: demand.mode,
      maxBytes: cache.maxBytes,
      whenFull: demand.cache.whenFull,
      errno: loss.errno,
      locations: [
        {
          path: cache.location,
          freeBytes: place?.freeBytes ?? 0,
          reservedBytes: place?.reservedBytes ?? 0,
          neededBytes: cache.maxBytes,
          turnedDown: null,
        },
      ],
      curve: cache.curve,
      ...estimate,
      orphanBytes: await orphanBytes(host),
    },
  );
}

async function needs(
  host: Host,
  demand: CacheDemand,
  options: { initialBytes: number | null; maxBytes: number | null },
): Promise<{ needAllAtOnceBytes: number; needOneAtATimeBytes: number }> {
  const mounts = await readMounts();
  const volumes = await Promise.all(demand.volumes.map((v) => describeKnown(host.known, v.record, mounts)));
  const { needAllAtOnceBytes, needOneAtATimeBytes } = forecastCache(volumes, options);
  return { needAllAtOnceBytes, needOneAtATimeBytes };
}

async function orphanBytes(host: Host): Promise<number> {
  const locations = await host.caches.list().catch((err: unknown) => {
    log.warn({ err }, "the cache locations cannot be looked at");
    return [];
  });
  return locations.flatMap((l) => l.orphans).reduce((sum, o) => sum + o.sizeBytes, 0);
}
