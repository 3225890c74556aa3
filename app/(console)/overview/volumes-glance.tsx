"use client";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { formatBytesOf } from "@/app/components/format";
import { Meter } from "@/app/components/meter";
import { StateBadge } from "@/app/components/state-badge";
import type { HostView, VolumeView } from "@/server/core/contracts/views";
import { type LiveWrites, volumeKey } from "../live/use-live-writes";
import { WriteActivity } from "../live/write-activity";

type VolumesGlanceProps = {
  volumes: readonly VolumeView[];
  hosts: readonly HostView[];
  writes: ReadonlyMap<string, LiveWrites>;
  stale: boolean;
};

/** Protected volumes, live. */
export function VolumesGlance({ volumes, hosts, writes, stale }: VolumesGlanceProps) {
  const shown = volumes.filter((volume) => volume.provider === "engine" || volume.state !== "available");
  return (
    <Card className={stale ? "opacity-60" : ""}>
      <CardTitle
        aside={
          <Link href="/volumes" className="text-[0.8125rem] text-accent hover:underline">
            All volumes
          </Link>
        }
      >
        Volumes
      </CardTitle>
      {shown.length === 0 && <p className="text-mute">None is attached to the engine.</p>}
      <ul>
        {shown.map((volume) => (
          <li
            key={volumeKey(volume)}
            className="grid items-center gap-x-5 gap-y-1.5 border-line border-t py-2.5 first:border-0 first:pt-0 sm:grid-cols-[1fr_9rem_auto]"
          >
            <span className="flex min-w-0 flex-wrap items-center gap-x-3">
              <span className="wrap-anywhere font-medium">
                {volume.name}
                {hosts.length > 1 && (
                  <span className="block font-normal text-mute text-xs">
                    {hosts.find((host) => host.id === volume.hostId)?.name}
                  </span>
                )}
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
    </Card>
  );
}
