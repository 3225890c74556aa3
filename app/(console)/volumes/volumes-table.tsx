"use client";
import Link from "next/link";
import { formatBytesOf } from "@/app/components/format";
import { Meter } from "@/app/components/meter";
import { Path } from "@/app/components/path";
import { StateBadge } from "@/app/components/state-badge";
import type { VolumeView } from "@/server/core/contracts/views";
import { formatBytes } from "@/server/core/text/bytes";
import { May } from "../access/may";
import { type LiveWrites, volumeKey } from "../live/use-live-writes";
import { WriteActivity } from "../live/write-activity";
import { VolumeActions } from "./volume-actions";
import { volumePath } from "./volume-path";
import { WriterSwitch } from "./writer-switch";

type VolumesTableProps = { volumes: readonly VolumeView[]; writes: ReadonlyMap<string, LiveWrites> };

/** The columns of one host's table stand below those of another's. */
const WIDTHS = ["20%", "11%", "14%", "8%", "11%", "9%", "15%", "12%"];

export function VolumesTable({ volumes, writes }: VolumesTableProps) {
  return (
    <div className="overflow-x-auto">
      <table className="rows cards lg:table-fixed">
        <colgroup className="max-lg:hidden">
          {WIDTHS.map((width, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a column has its place and nothing else
            <col key={i} style={{ width }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            <th scope="col">Volume</th>
            <th scope="col">State</th>
            <th scope="col">Use</th>
            <th scope="col">File system</th>
            <th scope="col">Device</th>
            <th scope="col">Provider</th>
            <th scope="col">Writes</th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {volumes.map((volume) => (
            <tr key={volume.name}>
              <td className="lead">
                <Link href={volumePath(volume)} className="wrap-anywhere font-medium hover:underline">
                  {volume.name}
                </Link>
                {volume.practice && (
                  <span className="ml-2 rounded-md border border-line px-1.5 py-px text-mute text-xs">practice</span>
                )}
                {volume.mount && volume.mount !== volume.name && (
                  <Path path={volume.mount} className="block text-mute" />
                )}
                {volume.practice && (
                  <span className="mt-1 flex items-center gap-2 font-normal text-mute text-xs">
                    writer <WriterSwitch volume={volume} />
                  </span>
                )}
              </td>
              <td data-label="State">
                <StateBadge state={volume.state} />
              </td>
              <td data-label="Use" title={`${volume.usedBytes} of ${volume.sizeBytes} bytes`}>
                <span className="inline-block w-36 text-right lg:w-full md:text-left">
                  <span className="font-mono text-xs">
                    {volume.mount ? formatBytesOf(volume.usedBytes, volume.sizeBytes) : formatBytes(volume.sizeBytes)}
                  </span>
                  {volume.mount && (
                    <Meter value={volume.usedBytes} max={volume.sizeBytes} label="Used" className="mt-1.5" />
                  )}
                </span>
              </td>
              <td data-label="File system">{volume.fsType ?? "–"}</td>
              <td data-label="Device">
                <span title={`Data rests in ${volume.source}`}>
                  <Path path={volume.device ?? "–"} />
                </span>
              </td>
              <td data-label="Provider">{volume.provider === "engine" ? "engine" : "none: live read only"}</td>
              <td data-label="Writes">
                {volume.state === "attached" && (
                  <WriteActivity writes={writes.get(volumeKey(volume))} name={volume.name} />
                )}
              </td>
              <td>
                <May permission="changeVolumes">
                  <VolumeActions volume={volume} />
                </May>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
