"use client";
import Link from "next/link";
import { CodeTag, StateBadge } from "@/app/components/state-badge";
import { Time } from "@/app/components/time";
import type { Run } from "@/server/core/contracts/run";
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
                {run.job.name} <span className="font-normal text-mute">run {run.number}</span>
              </Link>
            </td>
            <td data-label="Result">
              <span className="inline-flex flex-wrap items-center gap-2">
                <StateBadge state={run.state} />
                {run.code && <CodeTag code={run.code} />}
              </span>
            </td>
            {!brief && <td data-label="Frozen">{run.mode === "allAtOnce" ? "all at once" : "one at a time"}</td>}
            <td data-label="Started">{run.startedAt ? <Time at={run.startedAt} /> : "–"}</td>
            <td className="n" data-label="Took">
              {run.startedAt && run.endedAt ? formatDuration(Date.parse(run.endedAt) - Date.parse(run.startedAt)) : "–"}
            </td>
            {!brief && (
              <td className="n" data-label="Cache">
                {formatBytes(run.volumes.reduce((sum, volume) => sum + volume.cacheUsedBytes, 0))}
              </td>
            )}
            <td className="n" data-label="Read">
              {formatBytes(run.volumes.reduce((sum, volume) => sum + volume.bytesRead, 0))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
