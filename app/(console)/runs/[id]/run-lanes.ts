/** From a run's events and measurements to the picture of it. A pure function: the same for live and finished. */
import type { Cut, Lane, LanePoint, LanesData } from "@/app/components/lanes/lanes-data";
import { frameEnd } from "@/app/components/lanes/time-axis";
import { formatTime } from "@/app/components/time";
import type { Run, RunEvent } from "@/server/core/contracts/run";
import { isEnded } from "@/server/core/runs/phases";
import { formatDuration } from "@/server/core/text/duration";
import type { SampleHistory } from "./sample-history";

type Of<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

export type RunFactsInput = {
  run: Run;
  events: readonly RunEvent[];
  /** File system and size of a volume, where known. */
  details: ReadonlyMap<string, string>;
  zone: string;
};

type LaneFacts = Omit<Lane, "points" | "cacheMax"> & {
  /** Most that its cache may grow to, where it was reserved. */
  reserved: number | null;
  /** What the run's result says that the cache held at its end. */
  finalCache: number;
};

/** What the run's events say of the picture; measurements are put in by `runLanes`. */
export type RunFacts = {
  lanes: LaneFacts[];
  cuts: Cut[];
  from: number;
  /** Time of the newest event. */
  latest: number;
  /** Null while the run is on. */
  end: number | null;
};

const releasedWords = {
  done: "released",
  overflow: "ran full, released",
  damaged: "damaged, released",
  cancelled: "cancelled, released",
} as const;

/** Null while nothing has begun. */
export function runFacts({ run, events, details, zone }: RunFactsInput): RunFacts | null {
  if (!run.startedAt) return null;
  const of = <T extends RunEvent["type"]>(type: T) => events.filter((event): event is Of<T> => event.type === type);
  const groups = of("started")[0]?.groups ?? [run.volumes.map((volume) => volume.name)];
  const from = Date.parse(run.startedAt);
  const ended = isEnded(run.state);
  const newest = events.at(-1)?.at;
  const latest = Math.max(from + 1000, newest ? Date.parse(newest) : 0);
  const frozen = of("frozen");
  const group = currentGroup(events);
  const lanes = groups.flatMap((names, place) =>
    names.map((name): LaneFacts => {
      const frozenAt = frozen.flatMap((event) => event.volumes).find((volume) => volume.name === name)?.takenAt;
      const released = of("snapshotReleased").find((event) => event.volume === name);
      const quiet = of("quietEnded").find((event) => event.group === place);
      return {
        name,
        detail: details.get(name) ?? "",
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
        waiting: !ended && !frozenAt && place > group ? "next, waits its turn" : null,
        reserved: of("cacheReserved").find((event) => event.volume === name)?.maxBytes ?? null,
        finalCache: of("volumeEnded").find((event) => event.result.name === name)?.result.cacheUsedBytes ?? 0,
      };
    }),
  );
  const end = ended ? Math.max(run.endedAt ? Date.parse(run.endedAt) : latest, from + 1000) : null;
  return { lanes, cuts: cutsOf(frozen, groups, zone), from, latest, end };
}

/** The picture as it stands. `expectedEnd`: of a run that is on, where it is known. */
export function runLanes(facts: RunFacts, history: SampleHistory, expectedEnd: number | null): LanesData {
  const { from, end } = facts;
  const latest = Math.max(facts.latest, ...facts.lanes.map(({ name }) => history.points(name).at(-1)?.at ?? 0));
  const lanes = facts.lanes.map(({ reserved, finalCache, ...lane }): Lane => {
    const measured = within(history.points(lane.name), from, end ?? latest);
    return {
      ...lane,
      points: withFinalCache(measured, lane.released?.at ?? null, finalCache),
      cacheMax: reserved ?? history.newest(lane.name)?.cacheMaxBytes ?? 0,
    };
  });
  return {
    lanes,
    cuts: facts.cuts,
    from,
    to: end === null ? frameEnd(from, latest, expectedEnd) : end + (end - from) * 0.02,
    now: end === null ? latest : null,
    expectedEnd: end === null ? expectedEnd : null,
  };
}

function within(points: readonly LanePoint[], from: number, to: number): readonly LanePoint[] {
  const first = points.findIndex((point) => point.at >= from);
  const last = points.findLastIndex((point) => point.at <= to);
  if (first === -1 || last < first) return [];
  return first === 0 && last === points.length - 1 ? points : points.slice(first, last + 1);
}

/** Puts the cache's size at its release, which the run's result knows, where the measurements missed it. */
function withFinalCache(points: readonly LanePoint[], at: number | null, used: number): readonly LanePoint[] {
  if (at === null) return points;
  const last = points.findLast((point) => point.at <= at && point.cacheUsed > 0);
  if (!last || used <= last.cacheUsed) return points;
  const place = points.findIndex((point) => point.at > at);
  const final = { ...last, at, cacheUsed: used, peak: 0 };
  return place === -1 ? [...points, final] : [...points.slice(0, place), final, ...points.slice(place)];
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
