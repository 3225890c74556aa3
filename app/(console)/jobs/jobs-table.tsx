"use client";
import { Play } from "lucide-react";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { StateBadge } from "@/app/components/state-badge";
import { Ago } from "@/app/components/time";
import type { HostView, JobView } from "@/server/core/contracts/views";
import { isEnded } from "@/server/core/runs/phases";
import { May } from "../access/may";
import { useRunJob } from "./use-run-job";

export function JobsTable({ jobs, hosts }: { jobs: readonly JobView[]; hosts: readonly HostView[] }) {
  const run = useRunJob();
  return (
    <table className="rows cards">
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">Volumes</th>
          <th scope="col">Frozen</th>
          <th scope="col">Goes to</th>
          <th scope="col">Last run</th>
          <th scope="col">
            <span className="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => {
          const { lastRun } = job;
          const active = lastRun !== null && !isEnded(lastRun.state);
          return (
            <tr key={job.id}>
              <td className="lead">
                <Link href={`/jobs/${job.id}`} className="wrap-anywhere font-medium hover:underline">
                  {job.name}
                </Link>
                {hosts.length > 1 && (
                  <span className="block text-mute text-xs">{hosts.find((host) => host.id === job.hostId)?.name}</span>
                )}
              </td>
              <td data-label="Volumes">
                <span className="wrap-anywhere min-w-0">{job.selection.volumes.join(", ")}</span>
              </td>
              <td data-label="Frozen">{job.effectiveMode === "allAtOnce" ? "all at once" : "one at a time"}</td>
              <td data-label="Goes to">
                <span className="wrap-anywhere min-w-0 font-mono text-xs">
                  {job.destination.kind === "restic" ? job.destination.repository : "a command"}
                </span>
              </td>
              <td data-label="Last run">
                {lastRun ? (
                  <Link
                    href={`/runs/${lastRun.id}`}
                    className="inline-flex flex-wrap items-center gap-x-2 hover:underline"
                  >
                    <StateBadge state={lastRun.state} />
                    {lastRun.endedAt && <Ago at={lastRun.endedAt} className="text-mute text-xs" />}
                  </Link>
                ) : (
                  <span className="text-mute">never</span>
                )}
              </td>
              <td>
                <span className="flex justify-end gap-1.5">
                  {active ? (
                    <Button asChild size="small">
                      <Link href={`/runs/${lastRun.id}`}>Watch</Link>
                    </Button>
                  ) : (
                    <May permission="runJobs">
                      <Button
                        size="small"
                        busy={run.isPending && run.variables.id === job.id}
                        onClick={() => run.mutate({ id: job.id })}
                        aria-label={`Run ${job.name} now`}
                      >
                        {!(run.isPending && run.variables.id === job.id) && <Play aria-hidden />}
                        Run now
                      </Button>
                    </May>
                  )}
                </span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
