/** Waits for a window without a write over a group of volumes, by the engines' reports. */
import type { Mode, OpenFile } from "@/server/core/contracts/job";
import {
  gapHistogram,
  observeQuiet,
  type QuietReport,
  type QuietState,
  recurringGap,
  watchQuiet,
  writesPerSecond,
} from "@/server/core/planning/quiet-window";
import { formatDuration } from "@/server/core/text/duration";
import { monotonicMs, pause } from "../clock";
import type { Report } from "../engine/protocol.gen";
import { codedFault } from "../fault";
import type { AttachedVolume } from "../volumes/known-volumes";
import { openMounts } from "../volumes/mounted-at";
import { Ignoring } from "./ignoring";
import type { PathWatch } from "./path-watch";
import { type Tell, WatchedPaths } from "./watched-paths";

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
  /** Directory of the native programs. */
  native: string;
  /** What is to be told of ignored paths. */
  tell: Tell;
}

/** Who writes is worth looking for once the window does not come at once. */
const NAME_WRITERS_AFTER_MS = 1000;

/** Resolves at the window or at the time-out; throws OFO-QUIET at a time-out that the job calls a failure. */
export async function awaitQuiet(
  volumes: readonly AttachedVolume[],
  quiet: OpenFile["quiet"],
  watcher: QuietWatcher,
): Promise<QuietResult> {
  const begun = monotonicMs();
  const paths = new WatchedPaths(watcher.native, await openMounts(volumes), quiet.ignorePaths, watcher.tell);
  const after = Math.min(NAME_WRITERS_AFTER_MS, quiet.timeoutMs / 4);
  const later = quiet.atTimeout === "fail" ? setTimeout(() => void paths.start(), after) : undefined;
  try {
    if (paths.ignoresAny) await paths.start();
    const state = await watchUntil(volumes, quiet, watcher, paths, begun);
    const waitedMs = Math.round(monotonicMs() - begun);
    if (state.found !== null) return { from: wallTime(state.found.from), waitedMs, timedOut: false };
    if (!watcher.signal.aborted && quiet.atTimeout === "fail") {
      throw await noQuietWindow(volumes, quiet, watcher, paths, state);
    }
    return { from: null, waitedMs, timedOut: true };
  } finally {
    clearTimeout(later);
    await paths.end();
  }
}

/** For a snapshot that somebody asks for by hand: a window that was missed is among what is said to them. */
export async function awaitQuietFor(
  volumes: readonly AttachedVolume[],
  quiet: OpenFile["quiet"],
  watcher: Omit<QuietWatcher, "tell">,
  said: string[],
): Promise<void> {
  if (quiet.minimumMs === 0) return;
  const { timedOut } = await awaitQuiet(volumes, quiet, { ...watcher, tell: (_, text) => said.push(text) });
  if (timedOut && !watcher.signal.aborted) said.push(takenWithoutWindow(quiet));
}

export function takenWithoutWindow({ minimumMs, timeoutMs }: OpenFile["quiet"]): string {
  return `no quiet window of ${formatDuration(minimumMs)} within ${formatDuration(timeoutMs)}; the snapshot is taken anyway`;
}

async function watchUntil(
  volumes: readonly AttachedVolume[],
  quiet: OpenFile["quiet"],
  watcher: QuietWatcher,
  paths: WatchedPaths,
  begun: number,
): Promise<QuietState> {
  const names = volumes.map((v) => v.record.name);
  let state = watchQuiet(names, quiet.minimumMs, begun);
  const found = new AbortController();
  const give = watcher.onGap ?? (() => {});
  let toldAt = 0;
  let toldMs = 0;
  const observe = (report: QuietReport) => {
    state = observeQuiet(state, report);
    const at = monotonicMs();
    if (state.longestGapMs > toldMs && at - toldAt >= 1000) {
      toldAt = at;
      toldMs = state.longestGapMs;
      give(Math.round(state.longestGapMs));
    }
    if (state.found !== null) found.abort();
  };
  const ignoring: Ignoring[] = [];
  const release = volumes.flatMap(({ record: { name }, watch }) => {
    const judge = paths.judgeOf(name);
    if (judge === null) {
      const report = ({ quietMs, writes }: Report) => observe({ volume: name, at: monotonicMs(), quietMs, writes });
      return [watch.fast(), watch.listen({ report })];
    }
    const another = (ended: PathWatch, why: string) => paths.another(ended, why);
    const one = new Ignoring(name, judge, another, observe, (reason) => paths.tellCounting(name, reason));
    ignoring.push(one);
    return [watch.fast({ changes: true }), watch.listen({ report: (report, asked) => asked || one.report(report) })];
  });
  try {
    await pause(quiet.timeoutMs, AbortSignal.any([found.signal, watcher.signal]));
    return state;
  } finally {
    for (const undo of release) undo();
    for (const one of ignoring) one.end();
  }
}

async function noQuietWindow(
  volumes: readonly AttachedVolume[],
  quiet: OpenFile["quiet"],
  watcher: QuietWatcher,
  paths: WatchedPaths,
  state: QuietState,
): Promise<Error> {
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
      writers: await paths.writers(),
    },
  );
}

/** An instant of the monotonic clock on the wall clock. */
function wallTime(at: number): string {
  return new Date(Date.now() - (monotonicMs() - at)).toISOString();
}
