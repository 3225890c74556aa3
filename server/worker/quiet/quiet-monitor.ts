/** Waits for a window without a write over a group of volumes, by the engines' reports. */
import type { Mode, OpenFile } from "@/server/core/contracts/job";
import {
  gapHistogram,
  observeQuiet,
  type QuietState,
  recurringGap,
  watchQuiet,
  writesPerSecond,
} from "@/server/core/planning/quiet-window";
import { formatDuration } from "@/server/core/text/duration";
import { monotonicMs, pause } from "../clock";
import { codedFault } from "../fault";
import type { AttachedVolume } from "../volumes/known-volumes";
import { findWriters } from "./writers";

export interface QuietResult {
  /** Start of the window; null when there was none. */
  from: string | null;
  waitedMs: number;
  timedOut: boolean;
}

export interface QuietWatcher {
  signal: AbortSignal;
  mode: Mode;
  /** Called when the longest gap grows, at most once a second. */
  onGap?: (longestMs: number) => void;
}

/** Resolves at the window or at the time-out; throws OFO-QUIET at a time-out that the job calls a failure. */
export async function awaitQuiet(
  volumes: readonly AttachedVolume[],
  quiet: OpenFile["quiet"],
  watcher: QuietWatcher,
): Promise<QuietResult> {
  const begun = monotonicMs();
  const state = await watchUntil(volumes, quiet, watcher, begun);
  const waitedMs = Math.round(monotonicMs() - begun);
  if (state.found !== null) return { from: wallTime(state.found.from), waitedMs, timedOut: false };
  if (!watcher.signal.aborted && quiet.atTimeout === "fail") throw await noQuietWindow(volumes, quiet, watcher, state);
  return { from: null, waitedMs, timedOut: true };
}

/** For a snapshot that somebody asks for by hand: a window that was missed is among what is said to them. */
export async function awaitQuietFor(
  volumes: readonly AttachedVolume[],
  quiet: OpenFile["quiet"],
  watcher: QuietWatcher,
  said: string[],
): Promise<void> {
  if (quiet.minimumMs === 0) return;
  const { timedOut } = await awaitQuiet(volumes, quiet, watcher);
  if (timedOut && !watcher.signal.aborted) said.push(takenWithoutWindow(quiet));
}

export function takenWithoutWindow({ minimumMs, timeoutMs }: OpenFile["quiet"]): string {
  return `no quiet window of ${formatDuration(minimumMs)} within ${formatDuration(timeoutMs)}; the snapshot is taken anyway`;
}

async function watchUntil(
  volumes: readonly AttachedVolume[],
  quiet: OpenFile["quiet"],
  watcher: QuietWatcher,
  begun: number,
): Promise<QuietState> {
  const names = volumes.map((v) => v.record.name);
  let state = watchQuiet(names, quiet.minimumMs, begun);
  const found = new AbortController();
  const give = watcher.onGap ?? (() => {});
  let toldAt = 0;
  let toldMs = 0;
  const release = volumes.flatMap((volume) => [
    volume.watch.fast(),
    volume.watch.listen({
      report: (report) => {
        const at = monotonicMs();
        state = observeQuiet(state, {
          volume: volume.record.name,
          at,
          quietMs: report.quietMs,
          writes: report.writes,
        });
        if (state.longestGapMs > toldMs && at - toldAt >= 1000) {
          toldAt = at;
          toldMs = state.longestGapMs;
          give(Math.round(state.longestGapMs));
        }
        if (state.found !== null) found.abort();
      },
    }),
  ]);
  try {
    await pause(quiet.timeoutMs, AbortSignal.any([found.signal, watcher.signal]));
    return state;
  } finally {
    for (const undo of release) undo();
  }
}

async function noQuietWindow(
  volumes: readonly AttachedVolume[],
  quiet: OpenFile["quiet"],
  watcher: QuietWatcher,
  state: QuietState,
): Promise<Error> {
  const mounts = volumes.flatMap((v) => (v.record.mount === null ? [] : [v.record.mount]));
  const longest = Math.round(state.longestGapMs);
  return codedFault(
    "failed",
    "OFO-QUIET",
    `no gap of ${formatDuration(quiet.minimumMs)} without a write within ${formatDuration(quiet.timeoutMs)}; the longest was ${formatDuration(longest)}`,
    {
      mode: watcher.mode,
      volumes: volumes.length,
      longestGapMs: longest,
      recurringGapMs: recurringGap(state),
      minimumMs: quiet.minimumMs,
      timeoutMs: quiet.timeoutMs,
      gapHistogram: gapHistogram(state),
      writesPerSecond: writesPerSecond(state, monotonicMs()),
      writers: await findWriters(mounts),
    },
  );
}

/** An instant of the monotonic clock on the wall clock. */
function wallTime(at: number): string {
  return new Date(Date.now() - (monotonicMs() - at)).toISOString();
}
