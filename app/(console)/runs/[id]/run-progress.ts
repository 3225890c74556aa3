import type { RunEvent } from "@/server/core/contracts/run";
import { currentGroup } from "./run-lanes";

type Progress = Extract<RunEvent, { type: "progress" }>;

/** How far the present group's backup is. `remainingMs` and `expectedEnd` are null until a rate is known. */
export type RunProgress = {
  share: number;
  bytesPerSecond: number | null;
  remainingMs: number | null;
  expectedEnd: number | null;
  last: Progress;
};

const RATE_WINDOW_MS = 15_000;

export function runProgress(events: readonly RunEvent[]): RunProgress | null {
  const group = currentGroup(events);
  const steps = events.filter((event): event is Progress => event.type === "progress" && event.group === group);
  const last = steps.at(-1);
  // A command tells nothing of how far it is.
  if (!last || last.bytesTotal <= 0 || last.bytesDone <= 0) return null;
  const at = Date.parse(last.at);
  const first = steps.find((step) => at - Date.parse(step.at) <= RATE_WINDOW_MS) ?? last;
  const seconds = (at - Date.parse(first.at)) / 1000;
  const rate = seconds >= 0.5 ? (last.bytesDone - first.bytesDone) / seconds : null;
  const remainingMs = rate && rate > 0 ? ((last.bytesTotal - last.bytesDone) / rate) * 1000 : null;
  return {
    share: last.bytesDone / last.bytesTotal,
    bytesPerSecond: rate,
    remainingMs,
    expectedEnd: remainingMs === null ? null : at + remainingMs,
    last,
  };
}
