"use client";
import { type ReactNode, useMemo } from "react";
import { Lanes } from "@/app/components/lanes/lanes";
import { formatTime } from "@/app/components/time";
import { useZone } from "@/app/components/zone";
import type { Run, RunEvent } from "@/server/core/contracts/run";
import { runFacts, runLanes } from "./run-lanes";
import { type SampleHistory, useHistory } from "./sample-history";

type RunPictureProps = {
  run: Run;
  hostName: string | null;
  events: readonly RunEvent[];
  history: SampleHistory;
  /** File system and size of a volume, where known. */
  details: ReadonlyMap<string, string>;
  expectedEnd: number | null;
  aside: ReactNode;
};

/** The lanes of a run: alone on the page in being drawn again with every measurement. */
export function RunPicture({ run, hostName, events, history, details, expectedEnd, aside }: RunPictureProps) {
  const zone = useZone();
  const version = useHistory(history);
  const facts = useMemo(() => runFacts({ run, events, details, zone }), [run, events, details, zone]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the history grows in place; its version says so
  const data = useMemo(() => facts && runLanes(facts, history, expectedEnd), [facts, history, expectedEnd, version]);
  if (!data || !run.startedAt)
    return (
      <>
        {aside}
        <p className="py-10 text-center text-mute">Queued. The picture begins when the host takes the run up.</p>
      </>
    );
  const where = hostName ? ` on ${hostName}` : "";
  return (
    <Lanes
      data={data}
      caption={`${run.job.name}${where}, run ${run.number}, ${formatTime(run.startedAt, "full", zone)} (${zone})`}
      fileName={`${run.job.name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "") || "job"}-run-${run.number}`}
      aside={aside}
    />
  );
}
