"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { Card } from "@/app/components/card";
import { EmptyState } from "@/app/components/empty-state";
import { ListSearch } from "@/app/components/list/list-search";
import { NoneMatches } from "@/app/components/list/none-matches";
import { Pager } from "@/app/components/list/pager";
import { PageHeader } from "@/app/components/page-header";
import { Select } from "@/app/components/select";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { runListSchema } from "@/server/core/lists/run-list";
import { HostFilter } from "../lists/host-filter";
import { useListQuery } from "../lists/use-list-query";
import { RunsTable } from "./runs-table";

const results = [
  { value: "", label: "Every result" },
  { value: "active", label: "Running" },
  { value: "succeeded", label: "Succeeded" },
  { value: "warnings", label: "With warnings" },
  { value: "failed", label: "Failed" },
  { value: "cancelled", label: "Cancelled" },
  { value: "interrupted", label: "Interrupted" },
] as const;
const orders = [
  { value: "newest", label: "Newest first" },
  { value: "oldest", label: "Oldest first" },
  { value: "longest", label: "Longest first" },
  { value: "job", label: "By job" },
] as const;

export function RunsView() {
  const trpc = useTRPC();
  const { query, change, narrowed, clear } = useListQuery(runListSchema);
  const runs = useQuery(
    trpc.runs.page.queryOptions(query, { refetchInterval: 5000, placeholderData: keepPreviousData }),
  );
  const hosts = useQuery(trpc.hosts.list.queryOptions()).data ?? [];
  const { data } = runs;
  return (
    <>
      <PageHeader
        title="Runs"
        trail={
          <>
            <Link href="/jobs">Jobs &amp; runs</Link> / Runs
          </>
        }
        subtitle="Every run of every job, also of jobs that were deleted since."
      />
      <Unanswered query={runs} of="runs" className="mb-4" />
      {data && data.all > 0 && (
        <ListSearch
          label="Job, number or code"
          text={query.text}
          onSearch={(text) => change({ text })}
          onClear={narrowed ? clear : undefined}
        >
          <Select label="Result" value={query.result} options={results} onChange={(result) => change({ result })} />
          <HostFilter hosts={hosts} value={query.hostId} onChange={(hostId) => change({ hostId })} />
          <Select label="Order" value={query.sort} options={orders} onChange={(sort) => change({ sort })} />
        </ListSearch>
      )}
      {data?.all === 0 && (
        <EmptyState
          icon={History}
          title="Nothing has run yet"
          action={
            <Button asChild>
              <Link href="/jobs">Go to the jobs</Link>
            </Button>
          }
        >
          Each run of a job is kept here, with its log and what became of every volume.
        </EmptyState>
      )}
      {data && data.all > 0 && data.total === 0 && <NoneMatches all={data.all} of="runs" onClear={clear} />}
      {data && data.items.length > 0 && (
        <Card>
          <RunsTable runs={data.items} />
          <Pager page={data} of={["run", "runs"]} onPage={(page) => change({ page })} />
        </Card>
      )}
    </>
  );
}
