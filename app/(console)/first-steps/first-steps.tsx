"use client";
import { useState } from "react";
import { Card } from "@/app/components/card";
import type { Overview } from "@/server/core/contracts/views";
import { isEnded } from "@/server/core/runs/phases";
import type { LiveWrites } from "../live/use-live-writes";
import { JobStep } from "./job-step";
import { RunStep } from "./run-step";
import { Step } from "./step";
import { VolumesStep } from "./volumes-step";

type FirstStepsProps = { overview: Overview; writes: ReadonlyMap<string, LiveWrites> };

/**
 * From nothing to a first backup: volumes, a job, a run. Shown until a run has succeeded. Where one
 * stands is read from what is there, so any step may be done elsewhere, or again.
 */
export function FirstSteps({ overview, writes }: FirstStepsProps) {
  const host = overview.hosts.find((one) => one.connected) ?? null;
  const attached = overview.volumes.filter((volume) => volume.state === "attached");
  // The first of several is no reason to go on: the job would be made without the others.
  const [making, setMaking] = useState(false);
  const hasVolumes = attached.length > 0 && !making;
  const job = overview.jobs[0] ?? null;
  const run = overview.activeRuns[0] ?? overview.recentRuns[0] ?? null;
  const running = run !== null && !isEnded(run.state);
  return (
    <Card className="p-0 sm:p-0">
      <div className="border-line border-b px-4 py-4 sm:px-5">
        <h2 className="font-semibold text-base tracking-tight">Your first backup, in two minutes</h2>
        <p className="mt-1 text-mute">
          On practice volumes: files on {host?.name ?? "the host"} that behave like disks, with a program that never
          stops writing to them. Nothing else is touched, and they can be removed again with everything in them.
        </p>
      </div>
      <ol>
        <Step
          number={1}
          title="Volumes that never stop being written to"
          state={hasVolumes ? "done" : "now"}
          summary={hasVolumes ? attached.map((volume) => volume.name).join(", ") : undefined}
        >
          {(open) =>
            host ? (
              <VolumesStep host={host} volumes={attached} writes={writes} open={open} onMaking={setMaking} />
            ) : (
              <NoHost />
            )
          }
        </Step>
        <Step
          number={2}
          title="A job: freeze them, back them up"
          state={job ? "done" : hasVolumes ? "now" : "next"}
          summary={job?.name}
        >
          {(open) => open && host && <JobStep host={host} volumes={attached} />}
        </Step>
        <Step
          number={3}
          title="Watch it: frozen at one instant, while the writes go on"
          state={job ? "now" : "next"}
          summary={running ? "running" : undefined}
        >
          {(open) => open && job && <RunStep job={job} run={run} running={running} />}
        </Step>
      </ol>
    </Card>
  );
}

function NoHost() {
  return (
    <p className="text-mute">
      Waiting for the worker of this host to connect. It is started together with the console; this page goes on by
      itself when it is there.
    </p>
  );
}
