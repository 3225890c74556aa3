"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { CalendarClock, Plus } from "lucide-react";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { EmptyState } from "@/app/components/empty-state";
import { NoneMatches } from "@/app/components/list/none-matches";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { jobListSchema } from "@/server/core/lists/job-list";
import { May } from "../access/may";
import { useListQuery } from "../lists/use-list-query";
import { RunsTable } from "../runs/runs-table";
import { JobFilters } from "./list/job-filters";
import { JobsCard } from "./list/jobs-card";
import { RECENT_RUNS } from "./recent-runs";

export function JobsView() {
  const trpc = useTRPC();
  const { query, change, narrowed, clear } = useListQuery(jobListSchema);
  const jobs = useQuery(
    trpc.jobs.page.queryOptions(query, { refetchInterval: 3000, placeholderData: keepPreviousData }),
  );
  const runs = useQuery(trpc.runs.list.queryOptions({ limit: RECENT_RUNS }, { refetchInterval: 3000 }));
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
  return (
    <>
      <PageHeader
        title="Jobs & runs"
        subtitle="What is backed up, how it is frozen, and where it goes."
        actions={jobs.data?.all !== 0 && add}
      />
      <Unanswered query={jobs} of="jobs" className="mb-4" />
      {jobs.data?.all === 0 && (
        <EmptyState icon={CalendarClock} title="No job yet" action={add}>
          A job says which volumes are backed up, whether all of them are frozen at one instant or one after the other,
          and where the backup goes.
        </EmptyState>
      )}
      {jobs.data && jobs.data.all > 0 && (
        <JobFilters query={query} hosts={hosts.data ?? []} onChange={change} onClear={narrowed ? clear : undefined} />
      )}
      {jobs.data && jobs.data.all > 0 && jobs.data.total === 0 && (
        <NoneMatches all={jobs.data.all} of="jobs" onClear={clear} />
      )}
      {jobs.data && jobs.data.total > 0 && (
        <JobsCard page={jobs.data} hosts={hosts.data ?? []} onPage={(page) => change({ page })} />
      )}
      {jobs.data && <Unanswered query={runs} of="latest runs" className="mt-4" />}
      {runs.data && runs.data.length > 0 && (
        <Card className="mt-4">
          <CardTitle
            aside={
              <Link href="/runs" className="text-[0.8125rem] text-accent hover:underline">
                All runs
              </Link>
            }
          >
            Recent runs
          </CardTitle>
          <RunsTable runs={runs.data} />
        </Card>
      )}
    </>
  );
}
