"use client";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { formatBytesOf } from "@/app/components/format";
import { CodeTag, NoQuietWindow, StateBadge } from "@/app/components/state-badge";
import { Time } from "@/app/components/time";
import type { Run, VolumeResult } from "@/server/core/contracts/run";
import type { Sample } from "@/server/core/contracts/volume";
import { isEnded } from "@/server/core/runs/phases";
import { formatBytes } from "@/server/core/text/bytes";
import { type SampleHistory, useHistoryEvery } from "./sample-history";

const BLOCK_BYTES = 4096;
const FIGURES_MS = 500;

type RunVolumesProps = { run: Run; history: SampleHistory; stale: boolean };

/** The figures of a volume that is not ended yet come from its newest sample. */
function present(volume: VolumeResult, sample: Sample | undefined): VolumeResult {
  if (volume.state !== "pending" || !volume.takenAt || !sample || sample.openSnapshots === 0) return volume;
  return {
    ...volume,
    cacheUsedBytes: sample.cacheUsedBytes,
    cacheMaxBytes: volume.cacheMaxBytes || sample.cacheMaxBytes,
    preservedBlocks: sample.preservedBlocks,
    skippedFreeBlocks: sample.skippedFreeBlocks,
  };
}

export function RunVolumes({ run, history, stale }: RunVolumesProps) {
  useHistoryEvery(history, FIGURES_MS);
  return (
    <Card>
      <CardTitle>Volumes</CardTitle>
      <div className="overflow-x-auto">
        <table className={`rows cards ${stale ? "stale" : ""}`}>
          <thead>
            <tr>
              <th scope="col">Volume</th>
              <th scope="col">Provider</th>
              <th scope="col">Result</th>
              <th scope="col" className="n">
                Frozen at
              </th>
              <th scope="col" className="n">
                Cache used
              </th>
              <th scope="col" className="n" title="Old contents kept because they were about to be overwritten">
                Preserved
              </th>
              <th scope="col" className="n" title="Written where the volume was free at its instant: needs no cache">
                Skipped as free
              </th>
              <th scope="col" className="n">
                Read
              </th>
            </tr>
          </thead>
          <tbody>
            {run.volumes.map((stored) => {
              const volume = present(stored, history.newest(stored.name));
              return (
                <tr key={volume.name}>
                  <td className="lead wrap-anywhere font-medium">{volume.name}</td>
                  <td data-label="Provider">{volume.takenAt ? volume.provider : "–"}</td>
                  <td data-label="Result">
                    <span className="inline-flex flex-wrap items-center justify-end gap-1.5 md:justify-start">
                      <StateBadge state={stateOf(volume, run)} />
                      {volume.code && (
                        <Link href={`/articles/${volume.code}`}>
                          <CodeTag code={volume.code} />
                        </Link>
                      )}
                      {volume.takenAt && volume.quiet === "missed" && <NoQuietWindow />}
                    </span>
                  </td>
                  <td className="n" data-label="Frozen at">
                    {volume.takenAt ? <Time at={volume.takenAt} style="exact" /> : "–"}
                  </td>
                  <td className="n" data-label="Cache used">
                    {volume.cacheMaxBytes > 0 ? formatBytesOf(volume.cacheUsedBytes, volume.cacheMaxBytes) : "–"}
                  </td>
                  <td className="n" data-label="Preserved">
                    {volume.takenAt ? formatBytes(volume.preservedBlocks * BLOCK_BYTES) : "–"}
                  </td>
                  <td className="n" data-label="Skipped as free">
                    {volume.takenAt ? formatBytes(volume.skippedFreeBlocks * BLOCK_BYTES) : "–"}
                  </td>
                  <td className="n" data-label="Read">
                    {volume.state === "pending" ? "–" : formatBytes(volume.bytesRead)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

/** A volume that waits for its result, in the words of the run's phase once its instant has been taken. */
function stateOf({ state, takenAt }: VolumeResult, run: Run) {
  if (state !== "pending" || takenAt === null || isEnded(run.state)) return state;
  return run.state === "backingUp" ? "backingUp" : "snapshotted";
}
