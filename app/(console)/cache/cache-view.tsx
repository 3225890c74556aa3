"use client";
import { useQuery } from "@tanstack/react-query";
import { Database } from "lucide-react";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { EmptyState } from "@/app/components/empty-state";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { filling } from "@/server/core/planning/time-until-full";
import { CacheCard } from "./cache-card";
import { Orphans } from "./orphans";
import { cacheKey, useCacheReadings } from "./use-cache-readings";

export function CacheView() {
  const trpc = useTRPC();
  const caches = useQuery(trpc.cache.list.queryOptions({}, { refetchInterval: 2000 }));
  const readings = useCacheReadings(caches.data, caches.dataUpdatedAt);
  const hosts = useQuery(trpc.hosts.list.queryOptions()).data ?? [];
  const nameOf = (hostId: string) => hosts.find((host) => host.id === hostId)?.name ?? "unknown host";
  const withOrphans = [
    ...new Set((caches.data ?? []).filter((one) => one.orphans.length > 0).map((one) => one.hostId)),
  ];
  return (
    <>
      <PageHeader
        title="Cache"
        subtitle="Where the old contents of overwritten blocks are kept while a backup reads. Each cache is gone when its snapshot is."
        actions={
          <Button asChild>
            <Link href="/settings#cache-locations">Allowed locations</Link>
          </Button>
        }
      />
      <Unanswered query={caches} of="cache locations" className="mb-4" />
      {caches.data?.length === 0 && (
        <EmptyState icon={Database} title="No cache location is known">
          A location appears when its host’s worker is connected. Without one no snapshot can be taken.
        </EmptyState>
      )}
      <div className="space-y-4">
        {withOrphans.map((hostId) => (
          <Orphans
            key={hostId}
            hostId={hostId}
            hostName={nameOf(hostId)}
            orphans={(caches.data ?? []).filter((one) => one.hostId === hostId).flatMap((one) => one.orphans)}
          />
        ))}
        <div className="grid gap-4 lg:grid-cols-2 min-[112rem]:grid-cols-3">
          {caches.data?.map((one) => (
            <CacheCard
              key={cacheKey(one)}
              cache={one}
              hostName={nameOf(one.hostId)}
              filling={filling(readings.get(cacheKey(one)) ?? [], one.freeBytes + one.reservedBytes - one.usedBytes)}
            />
          ))}
        </div>
        {caches.data && caches.data.length > 0 && (
          <p className="text-[0.8125rem] text-mute">
            Free is what a cache may take. What a file system keeps back for emergencies (ext4: 5 % of a disk) is
            counted here with the other files, and at Volumes as free.
          </p>
        )}
      </div>
    </>
  );
}
