"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { useTRPC } from "@/app/trpc/client";
import type { FailureDetail } from "@/server/core/contracts/views";
import { QuietHoursList } from "../../quiet-hours/quiet-hours-list";
import { volumePath } from "../../volumes/volume-path";

/** The evidence for starting at another hour: when the job's volumes rest. Nothing once the job is gone. */
export function QuietHoursCard({ failure }: { failure: FailureDetail }) {
  const trpc = useTRPC();
  const job = useQuery(trpc.jobs.get.queryOptions({ id: failure.job.id }, { retry: false })).data;
  if (!job) return null;
  const { volumes } = job.selection;
  return (
    <Card>
      <CardTitle>When its volumes rest</CardTitle>
      <QuietHoursList hostId={job.hostId} volumes={volumes} />
      <p className="mt-2 text-[0.8125rem] text-mute">
        {volumes.length === 1 ? "Its volume" : "Its volumes"}:{" "}
        {volumes.map((name, i) => (
          <span key={name}>
            {i > 0 && ", "}
            <Link href={volumePath({ hostId: job.hostId, name })} className="text-accent underline">
              {name}
            </Link>
          </span>
        ))}
      </p>
    </Card>
  );
}
