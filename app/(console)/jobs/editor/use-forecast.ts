"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useFormContext } from "react-hook-form";
import { useNow, useZone } from "@/app/components/zone";
import { useTRPC } from "@/app/trpc/client";
import type { Mode } from "@/server/core/contracts/job";
import { scheduleSchema } from "@/server/core/contracts/schedule";
import { type ExpectedDuration, expectedDuration } from "@/server/core/planning/backup-duration";
import type { CandidateLocation } from "@/server/core/planning/cache-choice";
import { type CacheFit, cacheFit } from "@/server/core/planning/cache-fit";
import { type Forecast, type ForecastVolume, forecastCache } from "@/server/core/planning/forecast";
import { nextStarts, scheduleProblem } from "@/server/core/planning/schedule";
import { hourOfWeekUtc } from "@/server/core/planning/write-windows";
import type { JobDraft, JobDraftIn } from "./job-draft";
import { useDraftOpenFile } from "./use-draft-open-file";

const PAST_RUNS = 20;
const HOUR_MS = 3_600_000;
/** A week of a job that starts every hour. */
const MOST_STARTS = 168;

export type JobForecast = {
  mode: Mode;
  volumes: ForecastVolume[];
  /** Whether the host has said where caches can be kept; null while the console is asked. */
  roomKnown: boolean | null;
  skipFreeBlocks: boolean;
  expected: ExpectedDuration;
  forecast: Forecast;
  fit: CacheFit;
  /** Volumes whose writes are those of the hours in which the schedule starts the job. */
  ofHours: string[];
};

/**
 * What the draft would need of caches, and whether there is room: by what was measured of its volumes, by its past
 * runs, and by the functions that the broker uses. `jobId`: null for a new job, which has no past.
 */
export function useForecast(jobId: string | null): JobForecast {
  const trpc = useTRPC();
  const { watch } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const [hostId, names] = watch(["hostId", "selection.volumes"]);
  const { cache, oneAtATime } = useDraftOpenFile().effective;
  const onHost = (useQuery(trpc.volumes.list.queryOptions({})).data ?? []).filter((one) => one.hostId === hostId);
  const caches = useQuery(trpc.cache.list.queryOptions({}, { refetchInterval: 5000 }));
  const hours = useScheduledHours();
  const measures =
    useQuery(
      trpc.history.measures.queryOptions(
        { hostId, hours },
        { enabled: hostId !== "", placeholderData: keepPreviousData },
      ),
    ).data ?? [];
  const past = useQuery(
    trpc.runs.list.queryOptions({ jobId: jobId ?? "", limit: PAST_RUNS }, { enabled: jobId !== null }),
  ).data;
  const volumes = onHost
    .filter((volume) => names.includes(volume.name))
    .map(({ name, sizeBytes, usedBytes }): ForecastVolume => {
      return { name, sizeBytes, usedBytes, measured: measures.find((one) => one.name === name) ?? null };
    });
  const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : null);
  const { skipFreeBlocks } = cache;
  const options = { initialBytes: number(cache.initialBytes), maxBytes: number(cache.maxBytes), skipFreeBlocks };
  const locations = (caches.data ?? [])
    .filter((one) => one.hostId === hostId && (!cache.location || one.path === cache.location))
    .map(
      (one): CandidateLocation => ({
        path: one.path,
        exists: true,
        writable: true,
        freeBytes: one.freeBytes,
        reservedBytes: one.reservedBytes,
        engineVolume: onHost.find((volume) => volume.state === "attached" && volume.mount === one.mount)?.name ?? null,
      }),
    );
  const expected = expectedDuration(volumes, past ?? []);
  const forecast = forecastCache(volumes, options, expected);
  return {
    mode: oneAtATime === "on" ? "oneAtATime" : "allAtOnce",
    volumes,
    roomKnown: caches.isPending ? null : locations.length > 0,
    skipFreeBlocks,
    expected,
    forecast,
    fit: cacheFit(volumes, locations, options, forecast),
    ofHours: measures.flatMap((one) => (one.ofHours ? [one.name] : [])),
  };
}

/** The hours of the week, in UTC, in which the schedule starts the job; none: there is no schedule, or no right one. */
function useScheduledHours(): number[] {
  const trpc = useTRPC();
  const own = useZone();
  const now = useNow(HOUR_MS);
  const { watch } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const schedule = scheduleSchema.safeParse(watch("schedule")).data;
  const hosts = useQuery(trpc.hosts.list.queryOptions()).data ?? [];
  if (!schedule || now === null) return [];
  const zone = schedule.zone ?? hosts.find((one) => one.id === watch("hostId"))?.timeZone ?? own;
  const at = new Date(now);
  if (scheduleProblem(schedule, zone, at) !== null) return [];
  const starts = nextStarts(schedule, zone, at, MOST_STARTS);
  const hours = new Set(starts.map((start) => hourOfWeekUtc(start.getTime())));
  return [...hours].sort((a, b) => a - b);
}
