"use client";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { plural } from "@/app/components/format";
import { LiveIndicator } from "@/app/components/live-indicator";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import type { Overview } from "@/server/core/contracts/views";
import { useMay } from "../access/may";
import { useLiveWrites } from "../live/use-live-writes";
import { ActiveRuns } from "./active-runs";
import { Attention } from "./attention";
import { CacheGlance } from "./cache-glance";
import { HostsGlance } from "./hosts-glance";
import { NextRuns } from "./next-runs";
import { RecentRuns } from "./recent-runs";
import { VolumesGlance } from "./volumes-glance";

/** Needed once in a console's life: no part of every first load. */
const FirstSteps = dynamic(async () => (await import("../first-steps/first-steps")).FirstSteps);

export function OverviewView() {
  const trpc = useTRPC();
  const overview = useQuery(trpc.overview.get.queryOptions(undefined, { refetchInterval: 2500 }));
  const live = useLiveWrites();
  const maySetUp = useMay("changeVolumes");
  const { data } = overview;
  if (!data)
    return (
      <>
        <PageHeader title="Overview" />
        <Unanswered query={overview} of="overview" />
      </>
    );
  const { begun, totals } = data;
  return (
    <>
      <PageHeader
        title={begun ? "Overview" : "Welcome to Stillframe"}
        subtitle={
          begun
            ? headline(data)
            : "Backups of volumes that never stop changing: each frozen at one instant, read at leisure."
        }
        actions={<LiveIndicator link={live.link} heardAt={live.heardAt} lostAt={live.lostAt} />}
      />
      <Unanswered query={overview} of="overview" className="mb-4" />
      <div className="space-y-4">
        <Attention overview={data} />
        {!begun && maySetUp && <FirstSteps overview={data} writes={live.writes} />}
        {!begun && !maySetUp && (
          <Note title="No backup has been made yet">An administrator sets up volumes and the first job.</Note>
        )}
        <ActiveRuns runs={data.activeRuns} />
        <div className="grid items-start gap-4 xl:grid-cols-[1.25fr_1fr]">
          <div className="min-w-0 space-y-4">
            {data.recentRuns.length > 0 && <RecentRuns runs={data.recentRuns} />}
            {begun && (
              <VolumesGlance volumes={data.volumes} totals={totals} writes={live.writes} stale={live.link === "lost"} />
            )}
          </div>
          <div className="min-w-0 space-y-4">
            {begun && <NextRuns jobs={data.jobs} />}
            {(begun || data.recentRuns.length > 0) && <CacheGlance caches={data.cache} totals={totals} />}
            {begun && <HostsGlance hosts={data.hosts} totals={totals} />}
          </div>
        </div>
      </div>
    </>
  );
}

function headline(data: Overview): string {
  const { failures: open, hostsAway: away } = data.totals;
  const wrong = [open > 0 && plural(open, "open failure"), away > 0 && `${plural(away, "host")} not connected`].filter(
    Boolean,
  );
  return wrong.length ? wrong.join(", ") : "Everything is all right.";
}
