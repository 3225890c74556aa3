"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { EmptyState } from "@/app/components/empty-state";
import { plural } from "@/app/components/format";
import { NoneMatches } from "@/app/components/list/none-matches";
import { Pager } from "@/app/components/list/pager";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { failureListSchema } from "@/server/core/lists/failure-list";
import { useListQuery } from "../lists/use-list-query";
import { FailureFilters } from "./failure-filters";
import { FailureGroupCard } from "./failure-group";

export function TroubleshootView() {
  const trpc = useTRPC();
  const { query, change, narrowed, clear } = useListQuery(failureListSchema);
  const groups = useQuery(
    trpc.failures.groups.queryOptions(query, { refetchInterval: 5000, placeholderData: keepPreviousData }),
  );
  const hosts = useQuery(trpc.hosts.list.queryOptions()).data ?? [];
  const { data } = groups;
  const hostName = (id: string) => hosts.find((host) => host.id === id)?.name ?? "unknown host";
  return (
    <>
      <PageHeader
        title="Troubleshoot"
        subtitle="Every failure with what was known at its moment, its causes already checked, and something to press."
      />
      <Unanswered query={groups} of="failures" className="mb-4" />
      {data && data.all > 0 && (
        <FailureFilters query={query} hosts={hosts} onChange={change} onClear={narrowed ? clear : undefined} />
      )}
      {data?.total === 0 && data.all > 0 && narrowed && (
        <NoneMatches
          all={data.all}
          of="kinds of failure"
          onClear={() => change({ ...failureListSchema.parse({}), state: "all" })}
        />
      )}
      {data?.total === 0 && (data.all === 0 || !narrowed) && (
        <EmptyState
          icon={CircleCheck}
          title={data.all === 0 ? "Nothing has failed yet" : "Nothing needs attention"}
          action={
            <Button asChild>
              <Link href="/hosts">Run a host’s self-test</Link>
            </Button>
          }
        >
          When a run fails it appears here, with the evidence and its fixes, so that no one has to log in to the host.
          {data.all > 0 &&
            ` ${plural(data.all, "kind of failure", "kinds of failure")} resolved since or acknowledged.`}
        </EmptyState>
      )}
      <div className="space-y-4">
        {data?.items.map((group) => (
          <FailureGroupCard key={group.newest.id} group={group} hostName={hostName(group.newest.hostId)} />
        ))}
      </div>
      {data && data.total > 0 && (
        <Pager page={data} of={["kind of failure", "kinds of failure"]} onPage={(page) => change({ page })} />
      )}
    </>
  );
}
