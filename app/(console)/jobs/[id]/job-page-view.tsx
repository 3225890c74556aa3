"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { RunsTable } from "../../runs/runs-table";
import { JobEditor } from "../editor/job-editor";
import { JobButton } from "../list/job-button";

export function JobPageView({ id }: { id: string }) {
  const trpc = useTRPC();
  const job = useQuery(trpc.jobs.get.queryOptions({ id }));
  const runs = useQuery(trpc.runs.list.queryOptions({ jobId: id, limit: 20 }, { refetchInterval: 5000 }));
  if (!job.data)
    return (
      <>
        <PageHeader title="Job" trail={<Link href="/jobs">Jobs</Link>} />
        <Unanswered query={job} of="job" />
      </>
    );
  return (
    <>
      {job.data.paused && (
        <Note title="This job is paused" className="mb-4" action={<JobButton job={job.data} />}>
          It is not started until it is continued.
        </Note>
      )}
      {job.data.waitingFor !== null && (
        <Note tone="warn" title="Its time has come, and it waits" className="mb-4">
          {job.data.waitingFor} It starts when it can.
        </Note>
      )}
      <JobEditor job={job.data} />
      <Unanswered query={runs} of="runs of this job" className="mt-4" />
      {runs.data && runs.data.length > 0 && (
        <Card className="mt-4">
          <CardTitle
            aside={
              <Link href={`/runs?jobId=${id}`} className="text-[0.8125rem] text-accent hover:underline">
                All its runs
              </Link>
            }
          >
            Runs of this job
          </CardTitle>
          <RunsTable runs={runs.data} />
        </Card>
      )}
    </>
  );
}
