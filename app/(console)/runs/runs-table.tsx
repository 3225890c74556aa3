"use client";
import Link from "next/link";
import { CodeTag, NoQuietWindow, StateBadge } from "@/app/components/state-badge";
import { Time } from "@/app/components/time";
import type { Run, VolumeResult } from "@/server/core/contracts/run";
import { withoutQuiet } from "@/server/core/runs/quiet-wait";
import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";

/** `brief`: without the columns that a glance can do without. */
export function RunsTable({ runs, brief }: { runs: readonly Run[]; brief?: boolean }) {
  return (
    <table className="rows cards">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">Result</th>
          {!brief && <th scope="col">Frozen</th>}
          <th scope="col">Started</th>
          <th scope="col" className="n">
            Took
          </th>
          {!brief && (
            <th scope="col" className="n">
              Cache
            </th>
          )}
          <th scope="col" className="n">
            Read
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr key={run.id}>
            <td className="lead">
              <Link href={`/runs/${run.id}`} className="wrap-anywhere font-medium hover:underline">
                {run.job.name} <span className="whitespace-nowrap font-normal text-mute text-xs">run {run.number}</span>
              </Link>
            </td>
            <td data-label="Result">
              <span className="inline-flex flex-wrap items-center gap-2">
                <StateBadge state={run.state} />
                {run.code && <CodeTag code={run.code} />}
                {withoutQuiet(run).length > 0 && <NoQuietWindow />}
              </span>
            </td>
            {!brief && (
              <td data-label="Frozen" className="md:whitespace-nowrap">
                {run.mode === "allAtOnce" ? "all at once" : "one at a time"}
              </td>
            )}
            <td data-label="Started">
              {run.startedAt ? <Time at={run.startedAt} className="whitespace-nowrap" /> : "–"}
            </td>
            <td className="n" data-label="Took">
              {run.startedAt && run.endedAt ? formatDuration(Date.parse(run.endedAt) - Date.parse(run.startedAt)) : "–"}
            </td>
            {!brief && (
              <td className="n" data-label="Cache">
                {known(run, (volume) => volume.cacheUsedBytes)}
              </td>
            )}
            <td className={brief ? "n max-md:hidden!" : "n"} data-label="Read">
              {known(run, (volume) => volume.bytesRead)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The sum over its volumes; none is told of while they are read, nor of a run that began nothing. */
function known({ volumes }: Run, bytesOf: (volume: VolumeResult) => number): string {
  const bytes = volumes.reduce((sum, volume) => sum + bytesOf(volume), 0);
  return bytes > 0 || volumes.some(({ state }) => state === "succeeded" || state === "warnings")
    ? formatBytes(bytes)
    : "–";
}
