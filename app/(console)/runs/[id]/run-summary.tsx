"use client";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { asSentence, plural } from "@/app/components/format";
import { Note } from "@/app/components/note";
import type { Outcome, Run } from "@/server/core/contracts/run";
import type { FailureView } from "@/server/core/contracts/views";
import { errorTable } from "@/server/core/errors/table";
import { withoutQuiet } from "@/server/core/runs/quiet-wait";
import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";

const titles: Record<Outcome, string> = {
  succeeded: "Backed up",
  warnings: "Backed up, with warnings",
  failed: "The run failed",
  cancelled: "The run was cancelled",
  interrupted: "The run was interrupted",
};

function missedWords(run: Run): string {
  const missed = withoutQuiet(run);
  const which = missed.length === run.volumes.length ? "" : ` of ${missed.join(", ")}`;
  const its = missed.length === 1 ? "The snapshot" : "The snapshots";
  return `${its}${which} ${missed.length === 1 ? "was" : "were"} taken without a quiet window: there was none within the time-out, and the job freezes then all the same.`;
}

/** What came of the run, once it has ended. */
export function RunSummary({
  run,
  outcome,
  failures,
}: {
  run: Run;
  outcome: Outcome;
  failures: readonly FailureView[];
}) {
  const read = run.volumes.reduce((sum, volume) => sum + volume.bytesRead, 0);
  const took =
    run.startedAt && run.endedAt ? formatDuration(Date.parse(run.endedAt) - Date.parse(run.startedAt)) : null;
  const instants = new Set(run.volumes.map((volume) => volume.takenAt).filter(Boolean)).size;
  const good = outcome === "succeeded" || outcome === "warnings";
  const failure = failures[0];
  return (
    <Note
      tone={outcome === "succeeded" ? "good" : outcome === "failed" || outcome === "interrupted" ? "loss" : "warn"}
      title={run.code && !good ? errorTable[run.code].title : titles[outcome]}
      className="mb-4"
      action={
        failure && (
          <Button asChild kind="primary" size="small">
            <Link href={`/troubleshoot/${failure.id}`}>Evidence and fixes</Link>
          </Button>
        )
      }
    >
      {good
        ? `${read > 0 ? `${formatBytes(read)} read from ` : ""}${plural(run.volumes.length, "volume")}${took ? ` in ${took}` : ""}. ${
            run.volumes.length < 2
              ? ""
              : run.mode === "allAtOnce"
                ? "All volumes are of one instant."
                : `The volumes are of ${plural(instants, "instant")}: what was written between two of them can be in one and not in the other.`
          }${withoutQuiet(run).length > 0 ? ` ${missedWords(run)}` : ""}`
        : failure
          ? asSentence(failure.message)
          : took
            ? `It ended after ${took}. The live volumes were not affected.`
            : ""}
    </Note>
  );
}
