/** From a run's events and measurements to the picture of it. A pure function: the same for live and finished. */
import type { Cut, Lane, LanePoint, LanesData } from "@/app/components/lanes/lanes-data";
import { frameEnd } from "@/app/components/lanes/time-axis";
import { formatTime } from "@/app/components/time";
import type { Run, RunEvent } from "@/server/core/contracts/run";
import type { Sample } from "@/server/core/contracts/volume";
import { isEnded } from "@/server/core/runs/phases";
import { formatDuration } from "@/server/core/text/duration";

type Of<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

export type RunLanesInput = {
  run: Run;
  events: readonly RunEvent[];
  samples: ReadonlyMap<string, readonly Sample[]>;
  /** File system and size of a volume, where known. */
  details: ReadonlyMap<string, string>;
  expectedEnd: number | null;
  zone: string;
};

const releasedWords = {
  done: "released",
  overflow: "ran full, released",
  damaged: "damaged, released",
  cancelled: "cancelled, released",
} as const;

export function runLanes(input: RunLanesInput): LanesData | null {
  const { run, events } = input;
  if (!run.startedAt) return null;
  const of = <T extends RunEvent["type"]>(type: T) => events.filter((event): event is Of<T> => event.type === type);
  const groups = of("started")[0]?.groups ?? [run.volumes.map((volume) => volume.name)];
  const from = Date.parse(run.startedAt);
  const ended = isEnded(run.state);
  const heard = [...input.samples.values()].map((samples) => samples.at(-1)?.at).concat(events.at(-1)?.at);
  const latest = Math.max(from + 1000, ...heard.map((at) => (at ? Date.parse(at) : 0)));
  const end = run.endedAt ? Math.max(Date.parse(run.endedAt), from + 1000) : latest;
  const lanes = groups.flatMap((names, group) =>
    names.map((name): Lane => {
      const frozenAt = of("frozen")
        .flatMap((event) => event.volumes)
        .find((volume) => volume.name === name)?.takenAt;
      const released = of("snapshotReleased").find((event) => event.volume === name);
      const quiet = of("quietEnded").find((event) => event.group === group);
      const reserved = of("cacheReserved").find((event) => event.volume === name);
      const samples = input.samples.get(name) ?? [];
      return {
        name,
        detail: input.details.get(name) ?? "",
        points: withFinalCache(
          samples.map(pointOf).filter((point) => point.at >= from && point.at <= end),
          released?.at,
          of("volumeEnded").find((event) => event.result.name === name)?.result.cacheUsedBytes ?? 0,
        ),
        quiet:
          quiet?.from && !quiet.timedOut
            ? { from: Math.max(from, Date.parse(quiet.from)), to: Date.parse(quiet.at) }
            : null,
        frozenAt: frozenAt ? Date.parse(frozenAt) : null,
        released:
          (released && {
            at: Date.parse(released.at),
            word: releasedWords[released.cause],
            lost: released.cause === "overflow" || released.cause === "damaged",
          }) ||
          null,
        cacheMax: reserved?.maxBytes ?? samples.at(-1)?.cacheMaxBytes ?? 0,
        waiting: !ended && !frozenAt && group > currentGroup(events) ? "next, waits its turn" : null,
      };
    }),
  );
  return {
    lanes,
    cuts: cutsOf(of("frozen"), groups, input.zone),
    from,
    to: ended ? end + (end - from) * 0.02 : frameEnd(from, latest, input.expectedEnd),
    now: ended ? null : latest,
    expectedEnd: ended ? null : input.expectedEnd,
  };
}

function pointOf(sample: Sample): LanePoint {
  return {
    at: Date.parse(sample.at),
    writes: sample.writes,
    writeBytes: sample.writeBytes,
    cacheUsed: sample.cacheUsedBytes,
    lastWriteAt: sample.lastWriteAt ? Date.parse(sample.lastWriteAt) : null,
  };
}

/** Puts the cache's size at its release, which the run's result knows, where the measurements missed it. */
function withFinalCache(points: readonly LanePoint[], releasedAt: string | undefined, used: number): LanePoint[] {
  const at = releasedAt ? Date.parse(releasedAt) : null;
  const last = points.findLast((point) => at !== null && point.at <= at && point.cacheUsed > 0);
  if (at === null || !last || used <= last.cacheUsed) return [...points];
  return [...points, { ...last, at, cacheUsed: used }].sort((a, b) => a.at - b.at);
}

export function currentGroup(events: readonly RunEvent[]): number {
  return events.findLast((event): event is Of<"phase"> => event.type === "phase")?.group ?? 0;
}

function cutsOf(frozen: readonly Of<"frozen">[], groups: readonly string[][], zone: string): Cut[] {
  return frozen.flatMap((event) => {
    const takenAt = event.volumes[0]?.takenAt;
    if (!takenAt) return [];
    const first = groups.slice(0, event.group).flat().length;
    const size = groups[event.group]?.length ?? 1;
    const whom = groups.length === 1 && size > 1 ? "all volumes, " : "";
    const short = formatTime(takenAt, "exact", zone);
    const label = `${short}, ${whom}frozen for ${formatDuration(event.frozenMs)}`;
    return [{ at: Date.parse(takenAt), first, last: first + size - 1, label, short }];
  });
}
