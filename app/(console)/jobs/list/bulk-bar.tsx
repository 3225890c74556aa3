"use client";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { plural } from "@/app/components/format";
import type { JobView } from "@/server/core/contracts/views";
import { May } from "../../access/may";
import { BulkDialog } from "./bulk-dialog";
import type { BulkAction } from "./use-bulk";

type BulkBarProps = { jobs: readonly JobView[]; onClear: () => void };

/** What can be done with the jobs that were chosen. */
export function BulkBar({ jobs, onClear }: BulkBarProps) {
  const [asked, setAsked] = useState<BulkAction | null>(null);
  const close = () => {
    setAsked(null);
    onClear();
  };
  return (
    <>
      {jobs.length > 0 && (
        <div className="mb-3 flex flex-wrap items-center gap-2 rounded-lg bg-soft px-3 py-2">
          <p role="status" className="mr-auto font-medium text-[0.8125rem]">
            {plural(jobs.length, "job")} chosen
          </p>
          <Button size="small" onClick={() => setAsked("run")}>
            Run
          </Button>
          <Button size="small" onClick={() => setAsked("pause")}>
            Pause
          </Button>
          <Button size="small" onClick={() => setAsked("continue")}>
            Continue
          </Button>
          <May permission="changeJobs">
            <Button size="small" kind="danger" onClick={() => setAsked("delete")}>
              Delete
            </Button>
          </May>
          <Button size="small" kind="quiet" onClick={onClear}>
            Choose none
          </Button>
        </div>
      )}
      {asked && <BulkDialog action={asked} jobs={jobs} onClose={close} />}
    </>
  );
}
