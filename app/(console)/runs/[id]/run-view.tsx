"use client";
import { skipToken, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useMemo } from "react";
import { Card } from "@/app/components/card";
import { formatPercent, formatRate, plural } from "@/app/components/format";
import { type Link as LinkState, LiveIndicator } from "@/app/components/live-indicator";
import { PageHeader } from "@/app/components/page-header";
import { PhaseBar } from "@/app/components/phase-bar";
import { ProgressBar } from "@/app/components/progress-bar";
import { StateBadge } from "@/app/components/state-badge";
import { Time } from "@/app/components/time";
import { Unanswered } from "@/app/components/unanswered";
import { useZone } from "@/app/components/zone";
import { useTRPC } from "@/app/trpc/client";
import type { Run } from "@/server/core/contracts/run";
import { isEnded } from "@/server/core/runs/phases";
import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";
import { May } from "../../access/may";
import { CancelRun } from "./cancel-run";
import { QuietProgress } from "./quiet-progress";
import { RestoreBrowser } from "./restore/restore-browser";
import { RunAgain } from "./run-again";
import { currentGroup } from "./run-lanes";
import { RunLog } from "./run-log";
import { runPhases } from "./run-phases";
import { RunPicture } from "./run-picture";
import { type RunProgress, runProgress } from "./run-progress";
import { RunSummary } from "./run-summary";
import { RunVolumes } from "./run-volumes";
import { type SampleHistory, useHistoryEvery } from "./sample-history";
import { useRun } from "./use-run";

export function RunView({ id }: { id: string }) {
  const zone = useZone();
  const trpc = useTRPC();
  const live = useRun(id);
  const { run, events, history, link } = live;
  const volumes = useQuery(trpc.volumes.list.queryOptions({}));
  const failures = useQuery(trpc.failures.list.queryOptions({ runId: run?.id ?? id }));
  const job = useQuery(trpc.jobs.named.queryOptions(run ? { id: run.job.id } : skipToken)).data;
  const details = useMemo(
    () =>
      new Map(
        volumes.data
          ?.filter((volume) => volume.hostId === run?.hostId)
          .map((volume) => [volume.name, `${volume.fsType ?? "unknown"}, ${formatBytes(volume.sizeBytes)}`]),
      ),
    [volumes.data, run?.hostId],
  );
  const bare = useMemo(() => events.map((one) => one.event), [events]);
  if (!run)
    return (
      <>
        <PageHeader title="Run" trail={<Link href="/runs">Runs</Link>} />
        <Unanswered query={live.asked} of="run" />
      </>
    );

  const progress = run.state === "backingUp" ? runProgress(bare) : null;
  const stale = link === "lost";
  const good = run.state === "succeeded" || run.state === "warnings";
  return (
    <>
      <PageHeader
        title={`${run.job.name}${live.host ? ` on ${live.host.name}` : ""}`}
        trail={
          <>
            <Link href="/jobs">Jobs</Link> / <Link href={`/jobs/${run.job.id}`}>{run.job.name}</Link> / Run {run.number}
          </>
        }
        subtitle={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <StateBadge state={run.state} />
            <span>
              {modeWords(run, job?.openFile.oneAtATime)}
              {progress && progressWords(run, progress, currentGroup(bare))}
            </span>
            <StartedBy run={run} />
          </span>
        }
        actions={
          <>
            <RunLink history={history} link={link} lostAt={live.lostAt} />
            <May permission="runJobs">
              {live.ended ? <RunAgain jobId={run.job.id} exists={Boolean(job)} /> : <CancelRun run={run} />}
            </May>
          </>
        }
      />
      {isEnded(run.state) && <RunSummary run={run} outcome={run.state} failures={failures.data ?? []} />}
      <PhaseBar steps={runPhases(run, bare, zone)} />
      {run.state === "waitingForQuiet" && <QuietProgress events={bare} />}
      {progress && (
        <div className="mt-3">
          <ProgressBar share={progress.share} label="Backup of the present group" />
          {progress.last.currentFile && (
            <p className="mt-1 truncate font-mono text-mute text-xs">{progress.last.currentFile}</p>
          )}
        </div>
      )}
      <Card className={`mt-4 ${stale ? "stale" : ""}`}>
        <RunPicture
          run={run}
          hostName={live.host?.name ?? null}
          events={bare}
          history={history}
          details={details}
          expectedEnd={progress?.expectedEnd ?? null}
          aside={
            <span className="rounded-md border border-line bg-soft px-2 py-0.5 text-xs">
              {run.mode === "allAtOnce" ? "All at once" : "One at a time"}
            </span>
          }
        />
      </Card>
      <div className="mt-4 space-y-4">
        <RunVolumes run={run} history={history} stale={stale} />
        <May permission="browseBackups">
          {good && job?.destination.kind === "restic" && <RestoreBrowser runId={run.id} />}
        </May>
        <RunLog events={events} />
      </div>
    </>
  );
}

function StartedBy({ run: { startedBy, dueAt } }: { run: Run }) {
  if (startedBy === undefined) return null;
  return (
    <span className="text-mute">
      {dueAt === undefined ? (
        `started by ${startedBy}`
      ) : (
        <>
          started by its schedule, due <Time at={dueAt} />
        </>
      )}
    </span>
  );
}

function RunLink({ history, link, lostAt }: { history: SampleHistory; link: LinkState; lostAt: number | null }) {
  useHistoryEvery(history, 500);
  return <LiveIndicator link={link} heardAt={history.heardAt} lostAt={lostAt} className="mr-2" />;
}

function modeWords(run: Run, own: "inherit" | "on" | "off" | undefined): string {
  const count = plural(run.volumes.length, "volume");
  if (run.volumes.length === 1) return count;
  const why = own === undefined || own === "inherit" ? "" : " (the job’s own setting)";
  return run.mode === "allAtOnce"
    ? `${count} at one instant${why}`
    : `${count}, one at a time${why}: each has an instant of its own`;
}

function progressWords(run: Run, progress: RunProgress, group: number): string {
  const which = run.mode === "oneAtATime" ? ` · volume ${group + 1} of ${run.volumes.length}` : "";
  const rate = progress.bytesPerSecond ? ` at ${formatRate(progress.bytesPerSecond)}` : "";
  const left =
    progress.remainingMs === null ? "" : `, about ${formatDuration(Math.max(1000, progress.remainingMs))} left`;
  return `${which} · ${formatPercent(progress.share)}${rate}${left}`;
}
