"use client";
import { useQuery } from "@tanstack/react-query";
import { Card, CardTitle } from "@/app/components/card";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { RunsTable } from "../../runs/runs-table";
import { JobEditor } from "../editor/job-editor";

export function JobPageView({ id }: { id: string }) {
  const trpc = useTRPC();
  const job = useQuery(trpc.jobs.get.queryOptions({ id }));
  const runs = useQuery(trpc.runs.list.queryOptions({ jobId: id, limit: 20 }, { refetchInterval: 5000 }));
  if (!job.data) return job.error ? <Note tone="loss">{faultOf(job.error).message}</Note> : <p>Loading the job…</p>;
  return (
    <>
      <JobEditor job={job.data} />
      {runs.data && runs.data.length > 0 && (
        <Card className="mt-4">
          <CardTitle>Runs of this job</CardTitle>
          <RunsTable runs={runs.data} />
        </Card>
      )}
    </>
  );
}
