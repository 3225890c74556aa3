"use client";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { useRunJob } from "../../jobs/use-run-job";

/** After a run: its job again, or another look at the job. */
export function RunAgain({ jobId, exists }: { jobId: string; exists: boolean }) {
  const run = useRunJob();
  if (!exists) return null;
  return (
    <>
      <Button asChild>
        <Link href={`/jobs/${jobId}`}>Edit job</Link>
      </Button>
      <Button kind="primary" busy={run.isPending} onClick={() => run.mutate({ id: jobId })}>
        Run again
      </Button>
    </>
  );
}
