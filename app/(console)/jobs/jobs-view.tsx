"use client";
import { useQuery } from "@tanstack/react-query";
import { CalendarClock, Plus } from "lucide-react";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { EmptyState } from "@/app/components/empty-state";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { May } from "../access/may";
import { RunsTable } from "../runs/runs-table";
import { JobsTable } from "./jobs-table";

export function JobsView() {
  const trpc = useTRPC();
  const jobs = useQuery(trpc.jobs.list.queryOptions(undefined, { refetchInterval: 3000 }));
  const runs = useQuery(trpc.runs.list.queryOptions({ limit: 30 }, { refetchInterval: 3000 }));
  const hosts = useQuery(trpc.hosts.list.queryOptions());
  const add = (
    <May permission="changeJobs">
      <Button asChild kind="primary">
        <Link href="/jobs/new">
          <Plus aria-hidden />
          New job
        </Link>
      </Button>
    </May>
  );
  const problem = jobs.error ?? runs.error;
  return (
    <>
      <PageHeader
        title="Jobs & runs"
        subtitle="What is backed up, how it is frozen, and where it goes."
        actions={jobs.data?.length !== 0 && add}
      />
      {problem && (
        <Note tone="loss" title="The jobs cannot be listed" className="mb-4">
          {faultOf(problem).message}
        </Note>
      )}
      {jobs.data?.length === 0 && (
        <EmptyState icon={CalendarClock} title="No job yet" action={add}>
          A job says which volumes are backed up, whether all of them are frozen at one instant or one after the other,
          and where the backup goes.
        </EmptyState>
      )}
      {jobs.data && jobs.data.length > 0 && (
        <Card>
          <CardTitle>Jobs</CardTitle>
          <JobsTable jobs={jobs.data} hosts={hosts.data ?? []} />
        </Card>
      )}
      {runs.data && runs.data.length > 0 && (
        <Card className="mt-4">
          <CardTitle>Recent runs</CardTitle>
          <RunsTable runs={runs.data} />
        </Card>
      )}
    </>
  );
}
