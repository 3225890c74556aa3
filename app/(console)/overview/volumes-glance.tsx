"use client";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { formatBytesOf } from "@/app/components/format";
import { Meter } from "@/app/components/meter";
import { StateBadge } from "@/app/components/state-badge";
import type { Overview } from "@/server/core/contracts/views";
import { type LiveWrites, volumeKey } from "../live/use-live-writes";
import { WriteActivity } from "../live/write-activity";
import { More } from "./more";

type VolumesGlanceProps = {
  volumes: Overview["volumes"];
  totals: Overview["totals"];
  writes: ReadonlyMap<string, LiveWrites>;
  stale: boolean;
};

/** Protected volumes, live. */
export function VolumesGlance({ volumes, totals, writes, stale }: VolumesGlanceProps) {
  return (
    <Card className={stale ? "stale" : ""}>
      <CardTitle
        aside={
          <Link href="/volumes" className="text-[0.8125rem] text-accent hover:underline">
            All volumes
          </Link>
        }
      >
        Volumes
      </CardTitle>
      {volumes.length === 0 && <p className="text-mute">None is attached to the engine.</p>}
      <ul>
        {volumes.map((volume) => (
          <li
            key={volumeKey(volume)}
            className="grid items-center gap-x-5 gap-y-1.5 border-line border-t py-2.5 first:border-0 first:pt-0 sm:grid-cols-[1fr_9rem_auto]"
          >
            <span className="flex min-w-0 flex-wrap items-center gap-x-3">
              <span className="wrap-anywhere font-medium">
                {volume.name}
                {totals.hosts > 1 && <span className="block font-normal text-mute text-xs">{volume.hostName}</span>}
              </span>
              <StateBadge state={volume.state} className="text-xs" />
            </span>
            <span>
              <span className="font-mono text-mute text-xs">{formatBytesOf(volume.usedBytes, volume.sizeBytes)}</span>
              <Meter value={volume.usedBytes} max={volume.sizeBytes} label="Used" className="mt-1" />
            </span>
            <WriteActivity writes={writes.get(volumeKey(volume))} name={volume.name} />
          </li>
        ))}
      </ul>
      <More shown={volumes.length} of={totals.volumes} what="volume" href="/volumes" />
    </Card>
  );
}
