"use client";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { plural } from "@/app/components/format";
import { StateBadge } from "@/app/components/state-badge";
import { Ago } from "@/app/components/time";
import type { Run } from "@/server/core/contracts/run";

export function ActiveRuns({ runs }: { runs: readonly Run[] }) {
  if (runs.length === 0) return null;
  return (
    <Card className="border-frozen/60">
      <CardTitle>Running now</CardTitle>
      <ul className="space-y-3">
        {runs.map((run) => (
          <li key={run.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
            <span className="min-w-0">
              <span className="wrap-anywhere block font-medium">{run.job.name}</span>
              <span className="text-mute text-xs">
                {plural(run.volumes.length, "volume")}, {run.mode === "allAtOnce" ? "all at once" : "one at a time"}
                {run.startedAt && (
                  <>
                    , started <Ago at={run.startedAt} />
                  </>
                )}
              </span>
            </span>
            <span className="flex items-center gap-4">
              <StateBadge state={run.state} />
              <Button asChild size="small" kind="primary">
                <Link href={`/runs/${run.id}`}>Watch</Link>
              </Button>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
