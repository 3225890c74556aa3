"use client";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { StateBadge } from "@/app/components/state-badge";
import type { Run } from "@/server/core/contracts/run";
import type { JobView } from "@/server/core/contracts/views";
import { useRunJob } from "../jobs/use-run-job";

export function RunStep({ job, run, running }: { job: JobView; run: Run | null; running: boolean }) {
  const start = useRunJob();
  return (
    <div className="flex flex-wrap items-center gap-3">
      {running && run ? (
        <Button asChild kind="primary">
          <Link href={`/runs/${run.id}`}>Watch it run</Link>
        </Button>
      ) : (
        <Button kind="primary" busy={start.isPending} onClick={() => start.mutate({ id: job.id })}>
          Run “{job.name}” {run ? "again" : "now"}
        </Button>
      )}
      {run && !running && (
        <Link href={`/runs/${run.id}`} className="inline-flex items-center gap-2 hover:underline">
          the last one: <StateBadge state={run.state} />
        </Link>
      )}
    </div>
  );
}
