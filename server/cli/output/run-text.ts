/** Runs and their events as text for people. */
import type { Run, RunEvent } from "@/server/core/contracts/run";
import { phaseWords } from "@/server/core/runs/phase-words";
import { withoutQuiet } from "@/server/core/runs/quiet-wait";
import { stateWords } from "@/server/core/runs/state-words";
import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";
import { formatTable } from "./table";

const modeText = { allAtOnce: "all at once", oneAtATime: "one at a time" } as const;

export function runTable(runs: readonly Run[]): string {
  if (runs.length === 0) return "No runs yet.";
  return formatTable(runs, [
    { title: "RUN", value: (r) => String(r.number), right: true },
    { title: "JOB", value: (r) => r.job.name },
    { title: "MODE", value: (r) => modeText[r.mode] },
    { title: "RESULT", value: resultText },
    { title: "CODE", value: (r) => r.code ?? "-" },
    { title: "STARTED", value: (r) => r.startedAt ?? "-" },
    { title: "ID", value: (r) => r.id },
  ]);
}

/** A window that was missed is always told, however well the run went. */
function resultText(run: Run): string {
  const words = stateWords[run.state];
  return withoutQuiet(run).length > 0 ? `${words}, no quiet window` : words;
}

export function runText(run: Run): string {
  const facts = [
    `Run ${run.number} of ${run.job.name}: ${resultText(run)}${run.code ? ` (${run.code})` : ""}`,
    `${modeText[run.mode]}, started ${run.startedAt ?? "not yet"}${run.endedAt ? `, ended ${run.endedAt}` : ""}`,
  ];
  if (run.volumes.length === 0) return facts.join("\n");
  const table = formatTable(run.volumes, [
    { title: "VOLUME", value: (v) => v.name },
    { title: "PROVIDER", value: (v) => v.provider },
    { title: "TAKEN", value: (v) => v.takenAt ?? "-" },
    { title: "QUIET WINDOW", value: (v) => v.quiet ?? "-" },
    { title: "RESULT", value: (v) => stateWords[v.state] },
    { title: "CODE", value: (v) => v.code ?? "-" },
    { title: "CACHE", value: (v) => formatBytes(v.cacheUsedBytes), right: true },
    { title: "READ", value: (v) => formatBytes(v.bytesRead), right: true },
  ]);
  return [...facts, "", table].join("\n");
}

/** One line for a log, or null for events that only move a progress bar. */
export function eventText(event: RunEvent): string | null {
  const what = eventFacts(event);
  return what === null ? null : `${event.at}  ${what}`;
}

const waitText = ({ minimumMs, timeoutMs }: { minimumMs: number; timeoutMs: number }) =>
  `${formatDuration(minimumMs)}, for at most ${formatDuration(timeoutMs)}`;

function eventFacts(event: RunEvent): string | null {
  switch (event.type) {
    case "started":
      return `started, ${modeText[event.mode]}: ${event.groups.map((group) => group.join(" + ")).join(", then ")}`;
    case "phase":
      return event.quiet ? `${phaseWords[event.phase]} of ${waitText(event.quiet)}` : phaseWords[event.phase];
    case "cacheReserved":
      return `${event.volume}: cache at ${event.location}, ${formatBytes(event.reservedBytes)} reserved, at most ${formatBytes(event.maxBytes)}`;
    case "quietEnded":
      return `${event.timedOut ? "no quiet window, taken without" : "quiet"} after ${formatDuration(event.waitedMs)}`;
    case "frozen":
      return `frozen for ${formatDuration(event.frozenMs)}, instants ${formatDuration(event.spreadMs)} apart`;
    case "snapshotReleased":
      return event.cause === "done"
        ? `${event.volume}: released`
        : `${event.volume}: snapshot released, ${event.cause}`;
    case "volumeEnded":
      return `${event.result.name}: ${event.result.state}${event.result.code ? ` (${event.result.code})` : ""}`;
    case "log":
      return `${event.level === "info" ? "" : `${event.level}: `}${event.code ? `${event.code} ` : ""}${event.text}`;
    case "failure":
      return `${event.code}  ${event.message}`;
    case "ended":
      return `${event.outcome}${event.code ? ` (${event.code})` : ""}`;
    case "quietGap":
    case "progress":
      return null;
  }
}
