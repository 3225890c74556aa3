"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Play } from "lucide-react";
import Link from "next/link";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { JobView } from "@/server/core/contracts/views";
import { isEnded } from "@/server/core/runs/phases";
import { May } from "../../access/may";
import { useRunJob } from "../use-run-job";

/** What one does with a job most: watch it while it runs, continue it while it is paused, else run it. */
export function JobButton({ job }: { job: JobView }) {
  const { lastRun } = job;
  if (lastRun !== null && !isEnded(lastRun.state))
    return (
      <Button asChild size="small">
        <Link href={`/runs/${lastRun.id}`} aria-label={`Watch ${job.name}`}>
          Watch
        </Link>
      </Button>
    );
  return <May permission="runJobs">{job.paused ? <ContinueButton job={job} /> : <RunButton job={job} />}</May>;
}

function RunButton({ job }: { job: JobView }) {
  const run = useRunJob();
  return (
    <Button
      size="small"
      busy={run.isPending}
      onClick={() => run.mutate({ id: job.id })}
      aria-label={`Run ${job.name} now`}
    >
      {!run.isPending && <Play aria-hidden />}
      Run now
    </Button>
  );
}

function ContinueButton({ job }: { job: JobView }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const setPaused = useMutation(
    trpc.jobs.setPaused.mutationOptions({
      onError: (error) => toast.error(faultOf(error).message),
      onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.jobs.pathKey() }),
    }),
  );
  return (
    <Button
      size="small"
      busy={setPaused.isPending}
      onClick={() => setPaused.mutate({ id: job.id, paused: false })}
      aria-label={`Continue ${job.name}`}
    >
      Continue
    </Button>
  );
}
