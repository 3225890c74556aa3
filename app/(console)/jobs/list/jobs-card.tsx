"use client";
import { useState } from "react";
import { Card, CardTitle } from "@/app/components/card";
import { Pager } from "@/app/components/list/pager";
import type { HostView, JobView } from "@/server/core/contracts/views";
import type { Page } from "@/server/core/lists/paging";
import { useMay } from "../../access/may";
import { BulkBar } from "./bulk-bar";
import { JobsTable } from "./jobs-table";

type JobsCardProps = { page: Page<JobView>; hosts: readonly HostView[]; onPage: (page: number) => void };

/** A page of the jobs; those of it that are chosen can be run, paused or deleted together. */
export function JobsCard({ page, hosts, onPage }: JobsCardProps) {
  const mayChoose = useMay("runJobs");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const choose = (ids: readonly string[], on: boolean) =>
    setChosen((before) => {
      const next = new Set(before);
      for (const id of ids) on ? next.add(id) : next.delete(id);
      return next;
    });
  return (
    <Card>
      <CardTitle>Jobs</CardTitle>
      {mayChoose && (
        <BulkBar jobs={page.items.filter(({ id }) => chosen.has(id))} onClear={() => setChosen(new Set())} />
      )}
      <JobsTable jobs={page.items} hosts={hosts} choice={mayChoose ? { chosen, choose } : null} />
      <Pager page={page} of={["job", "jobs"]} onPage={onPage} />
    </Card>
  );
}
