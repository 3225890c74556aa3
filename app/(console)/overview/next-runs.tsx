"use client";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import type { JobView } from "@/server/core/contracts/views";
import { NextRun } from "../jobs/list/next-run";

/** What the schedules start next. */
export function NextRuns({ jobs }: { jobs: readonly JobView[] }) {
  const next = jobs.filter(({ nextRunAt }) => nextRunAt !== null);
  return (
    <Card>
      <CardTitle
        aside={
          <Link href="/jobs?sort=nextRun" className="text-[0.8125rem] text-accent hover:underline">
            All jobs
          </Link>
        }
      >
        Next runs
      </CardTitle>
      {next.length === 0 && (
        <p className="text-mute">No job has a schedule that is on: backups are made when somebody starts them.</p>
      )}
      <ul className="space-y-2.5">
        {next.map((job) => (
          <li key={job.id} className="grid grid-cols-[1fr_auto] items-baseline gap-x-4">
            <Link href={`/jobs/${job.id}`} className="wrap-anywhere font-medium hover:underline">
              {job.name}
            </Link>
            <span className="min-w-0 text-right">
              <NextRun job={job} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
