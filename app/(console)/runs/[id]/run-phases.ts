import { formatBytesOf } from "@/app/components/format";
import type { PhaseStep } from "@/app/components/phase-bar";
import { formatTime } from "@/app/components/time";
import { type Phase, phaseSchema, type Run, type RunEvent } from "@/server/core/contracts/run";
import { isEnded } from "@/server/core/runs/phases";
import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";
import { currentGroup } from "./run-lanes";

const names: Record<Phase, string> = {
  reserving: "Reserve caches",
  preparing: "Hooks",
  waitingForQuiet: "Quiet window",
  holding: "Hold",
  freezing: "Freeze",
  snapshotted: "Snapshot",
  backingUp: "Back up",
  releasing: "Release",
  done: "Done",
};

/** Of jobs that have such hooks only. */
const ofHooks: ReadonlySet<Phase> = new Set(["preparing", "holding"]);

/** The phases of the group that the run is at, or was at last. */
export function runPhases(run: Run, events: readonly RunEvent[], zone: string): PhaseStep[] {
  const group = currentGroup(events);
  const mine = events.filter((event) => "group" in event && event.group === group);
  const entered = new Map<Phase, string>();
  for (const event of mine) if (event.type === "phase" && !entered.has(event.phase)) entered.set(event.phase, event.at);
  const ended = isEnded(run.state);
  const bad = run.state === "failed" || run.state === "interrupted";
  const cut = bad ? "failed" : run.state === "cancelled" ? "stopped" : null;
  const reached = [...entered.keys()].filter((phase) => phase !== "releasing" && phase !== "done").at(-1);
  return phaseSchema.options
    .filter((phase) => !ofHooks.has(phase) || entered.has(phase))
    .map((phase) => {
      const at = entered.get(phase);
      const state: PhaseStep["state"] =
        cut !== null && phase === reached
          ? cut
          : !at
            ? ended || laterEntered(phase, entered)
              ? "skipped"
              : "next"
            : !ended && run.state === phase && phase !== "done"
              ? "now"
              : phase === "waitingForQuiet" && mine.some((event) => event.type === "quietEnded" && event.timedOut)
                ? "missed"
                : "done";
      return { name: names[phase], value: at ? phaseValue(phase, at, mine, entered, zone) : "", state };
    });
}

function laterEntered(phase: Phase, entered: ReadonlyMap<Phase, string>): boolean {
  const order = phaseSchema.options;
  return order.slice(order.indexOf(phase) + 1).some((later) => entered.has(later));
}

function phaseValue(
  phase: Phase,
  at: string,
  events: readonly RunEvent[],
  entered: ReadonlyMap<Phase, string>,
  zone: string,
): string {
  const last = <T extends RunEvent["type"]>(type: T) =>
    events.findLast((event): event is Extract<RunEvent, { type: T }> => event.type === type);
  switch (phase) {
    case "reserving": {
      const bytes = events.reduce((sum, event) => sum + (event.type === "cacheReserved" ? event.reservedBytes : 0), 0);
      return bytes > 0 ? formatBytes(bytes) : formatTime(at, "clock", zone);
    }
    case "preparing":
    case "holding": {
      const order = phaseSchema.options;
      const next = order.slice(order.indexOf(phase) + 1).flatMap((later) => entered.get(later) ?? [])[0];
      return next ? formatDuration(Date.parse(next) - Date.parse(at)) : "running";
    }
    case "waitingForQuiet": {
      const quiet = last("quietEnded");
      if (quiet) return quiet.timedOut ? `none in ${formatDuration(quiet.waitedMs)}` : formatDuration(quiet.waitedMs);
      const gap = last("quietGap");
      return gap ? `best ${formatDuration(gap.longestMs)}` : "waiting";
    }
    case "freezing":
      return last("frozen") ? formatDuration(last("frozen")?.frozenMs ?? 0) : "";
    case "snapshotted": {
      const frozen = last("frozen");
      return frozen && frozen.volumes.length > 1 ? `spread ${formatDuration(frozen.spreadMs)}` : "1 instant";
    }
    case "backingUp": {
      const read = events.reduce((sum, event) => sum + (event.type === "volumeEnded" ? event.result.bytesRead : 0), 0);
      if (read > 0) return formatBytes(read);
      const progress = last("progress");
      const left = entered.get("releasing");
      if (left && !progress?.bytesDone) return formatDuration(Date.parse(left) - Date.parse(at));
      return progress && progress.bytesDone > 0 ? formatBytesOf(progress.bytesDone, progress.bytesTotal) : "reading";
    }
    case "releasing": {
      const done = entered.get("done");
      return done ? formatDuration(Date.parse(done) - Date.parse(at)) : "";
    }
    case "done":
      return formatTime(at, "clock", zone);
  }
}
