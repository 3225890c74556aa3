"use client";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import type { Run } from "@/server/core/contracts/run";
import { RunsTable } from "../runs/runs-table";

export function RecentRuns({ runs }: { runs: readonly Run[] }) {
  return (
    <Card>
      <CardTitle
        aside={
          <Link href="/runs" className="text-[0.8125rem] text-accent hover:underline">
            All runs
          </Link>
        }
      >
        Last runs
      </CardTitle>
      <RunsTable runs={runs} brief />
    </Card>
  );
}
