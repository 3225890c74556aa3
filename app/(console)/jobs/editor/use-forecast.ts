"use client";
import { useQuery } from "@tanstack/react-query";
import { useFormContext } from "react-hook-form";
import { useTRPC } from "@/app/trpc/client";
import type { Mode } from "@/server/core/contracts/job";
import { type CandidateLocation, chooseCaches, type Placement } from "@/server/core/planning/cache-choice";
import { type Forecast, forecastCache } from "@/server/core/planning/forecast";
import { effectiveMode } from "@/server/core/planning/groups";
import type { JobDraft, JobDraftIn } from "./job-draft";

export type JobForecast = {
  mode: Mode;
  volumes: number;
  /** Whether the host has said where caches can be kept. */
  roomKnown: boolean;
  forecast: Forecast;
  /** Largest room for one cache, and for all of them together, as the broker would place them. */
  roomAllAtOnceBytes: number;
  roomOneAtATimeBytes: number;
  fitsAllAtOnce: boolean;
  fitsOneAtATime: boolean;
  /** Why the broker turned a location down. */
  turnedDown: { path: string; reason: string }[];
  sizes: Placement[];
};

/** What the draft would need of caches, and whether there is room: by the functions that the broker uses. */
export function useForecast(): JobForecast {
  const trpc = useTRPC();
  const { watch } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const [hostId, names, cache, oneAtATime] = watch([
    "hostId",
    "selection.volumes",
    "openFile.cache",
    "openFile.oneAtATime",
  ]);
  const settings = useQuery(trpc.settings.get.queryOptions()).data;
  const onHost = (useQuery(trpc.volumes.list.queryOptions({})).data ?? []).filter((one) => one.hostId === hostId);
  const caches = useQuery(trpc.cache.list.queryOptions({}, { refetchInterval: 5000 })).data ?? [];
  const volumes = onHost.filter((volume) => names.includes(volume.name));
  const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : null);
  const options = { initialBytes: number(cache?.initialBytes), maxBytes: number(cache?.maxBytes) };
  const locations = caches
    .filter((one) => one.hostId === hostId && (!cache?.location || one.path === cache.location))
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
  const forecast = forecastCache(volumes, options);
  const need = (name: string) => forecast.volumes.find((one) => one.name === name)?.needBytes ?? 0;
  const together = chooseCaches(volumes, locations, options);
  const alone = volumes.map((volume) => chooseCaches([volume], locations, options));
  const enough = (placements: readonly Placement[]) => placements.every((one) => one.maxBytes >= need(one.volume));
  const placements = together.ok ? together.placements : [];
  return {
    mode: effectiveMode(oneAtATime ?? "inherit", settings?.oneAtATime ?? false),
    volumes: volumes.length,
    roomKnown: locations.length > 0,
    forecast,
    roomAllAtOnceBytes: placements.reduce((sum, one) => sum + one.maxBytes, 0),
    roomOneAtATimeBytes: Math.max(0, ...alone.flatMap((one) => (one.ok ? one.placements.map((p) => p.maxBytes) : []))),
    fitsAllAtOnce: together.ok && enough(together.placements),
    fitsOneAtATime: volumes.length > 0 && alone.every((one) => one.ok && enough(one.placements)),
    turnedDown: together.locations.flatMap((one) =>
      one.turnedDown ? [{ path: one.path, reason: one.turnedDown }] : [],
    ),
    sizes: placements,
  };
}
