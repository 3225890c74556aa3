"use client";
import { CirclePause } from "lucide-react";
import Link from "next/link";
import { Checkbox } from "@/app/components/checkbox";
import { Path } from "@/app/components/path";
import { StateBadge } from "@/app/components/state-badge";
import { Ago } from "@/app/components/time";
import type { HostView, JobView } from "@/server/core/contracts/views";
import { JobButton } from "./job-button";
import { NextRun } from "./next-run";

type JobsTableProps = {
  jobs: readonly JobView[];
  hosts: readonly HostView[];
  /** Null: nothing can be done with several jobs. */
  choice: { chosen: ReadonlySet<string>; choose: (ids: readonly string[], on: boolean) => void } | null;
};

export function JobsTable({ jobs, hosts, choice }: JobsTableProps) {
  return (
    <table className="rows cards">
      <thead>
        <tr>
          {choice && (
            <th scope="col">
              <Checkbox
                label="Choose all of this page"
                checked={jobs.every(({ id }) => choice.chosen.has(id))}
                onChange={(on) =>
                  choice.choose(
                    jobs.map(({ id }) => id),
                    on,
                  )
                }
              >
                <span className="sr-only">Choose all of this page</span>
              </Checkbox>
            </th>
          )}
          <th scope="col">Job</th>
          <th scope="col">Volumes</th>
          <th scope="col">Frozen</th>
          <th scope="col">Goes to</th>
          <th scope="col">Last run</th>
          <th scope="col">Next run</th>
          <th scope="col">
            <span className="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => {
          const { lastRun } = job;
          return (
            <tr key={job.id}>
              {choice && (
                <td className="corner">
                  <Checkbox
                    label={`Choose ${job.name}`}
                    checked={choice.chosen.has(job.id)}
                    onChange={(on) => choice.choose([job.id], on)}
                    bare
                  />
                </td>
              )}
              <td className="lead">
                <Link href={`/jobs/${job.id}`} className="wrap-anywhere font-medium hover:underline">
                  {job.name}
                </Link>
                {job.paused && (
                  <span className="ml-2 inline-flex items-center gap-1 whitespace-nowrap align-middle text-mute text-xs">
                    <CirclePause className="size-3.5" aria-hidden />
                    paused
                  </span>
                )}
                {hosts.length > 1 && (
                  <span className="block text-mute text-xs">{hosts.find((host) => host.id === job.hostId)?.name}</span>
                )}
              </td>
              <td data-label="Volumes">
                <span className="wrap-anywhere min-w-0">{job.selection.volumes.join(", ")}</span>
              </td>
              <td data-label="Frozen" className="md:whitespace-nowrap">
                {job.effectiveMode === "allAtOnce" ? "all at once" : "one at a time"}
              </td>
              <td data-label="Goes to">
                {job.destination.kind === "restic" ? <Path path={job.destination.repository} /> : "a command"}
              </td>
              <td data-label="Last run">
                {lastRun ? (
                  <Link
                    href={`/runs/${lastRun.id}`}
                    className="inline-flex flex-col items-end hover:underline md:items-start"
                  >
                    <StateBadge state={lastRun.state} />
                    {lastRun.endedAt && <Ago at={lastRun.endedAt} className="text-mute text-xs" />}
                  </Link>
                ) : (
                  <span className="text-mute">never</span>
                )}
              </td>
              <td data-label="Next run">
                <NextRun job={job} />
              </td>
              <td>
                <span className="flex justify-end">
                  <JobButton job={job} />
                </span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
