"use client";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { formatBytesOf, plural } from "@/app/components/format";
import { Meter } from "@/app/components/meter";
import { Path } from "@/app/components/path";
import type { Overview } from "@/server/core/contracts/views";
import { formatBytes } from "@/server/core/text/bytes";
import { More } from "./more";

type CacheGlanceProps = { caches: Overview["cache"]; totals: Overview["totals"] };

/** Room for caches, location by location. */
export function CacheGlance({ caches, totals }: CacheGlanceProps) {
  return (
    <Card>
      <CardTitle
        aside={
          <Link href="/cache" className="text-[0.8125rem] text-accent hover:underline">
            Caches
          </Link>
        }
      >
        Cache room
      </CardTitle>
      {caches.length === 0 && <p className="text-mute">No location has been heard of.</p>}
      <ul className="space-y-3">
        {caches.map((one) => (
          <li key={`${one.hostId} ${one.path}`}>
            <div className="flex flex-wrap justify-between gap-x-3">
              <Path path={one.path} />
              <span className="font-mono text-mute text-xs">{formatBytes(one.freeBytes)} free</span>
            </div>
            <Meter
              value={one.totalBytes - one.freeBytes}
              max={one.totalBytes}
              label={`Disk of ${one.path} used`}
              className="my-1.5"
            />
            <p className="text-mute text-xs">
              {totals.hosts > 1 && `${one.hostName}: `}
              {one.snapshots.length > 0
                ? `${plural(one.snapshots.length, "open snapshot")}, ${formatBytesOf(one.usedBytes, one.reservedBytes)} reserved used`
                : "no snapshot is open"}
            </p>
          </li>
        ))}
      </ul>
      <More shown={caches.length} of={totals.caches} what="location" href="/cache" />
    </Card>
  );
}
