"use client";
import { useEffect, useState } from "react";
import type { CacheView } from "@/server/core/contracts/views";
import { type CacheReading, withReading } from "@/server/core/planning/time-until-full";

export function cacheKey({ hostId, path }: { hostId: string; path: string }): string {
  return `${hostId} ${path}`;
}

/** What was read of each location while the page was open. */
export function useCacheReadings(caches: readonly CacheView[] | undefined, atMs: number) {
  const [readings, setReadings] = useState<ReadonlyMap<string, CacheReading[]>>(new Map());
  useEffect(() => {
    if (!caches) return;
    setReadings(
      (before) =>
        new Map(
          caches.map((one) => [
            cacheKey(one),
            withReading(before.get(cacheKey(one)) ?? [], { atMs, usedBytes: one.usedBytes }),
          ]),
        ),
    );
  }, [caches, atMs]);
  return readings;
}
