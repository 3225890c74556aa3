/** Tells a run as a worker does, in events, and what was measured of its volumes meanwhile. */
import type { RunSpec } from "@/server/core/contracts/job";
import type { RunEvent, VolumeResult } from "@/server/core/contracts/run";
import { defaultSettings } from "@/server/core/contracts/settings";
import type { KeptSample } from "@/server/core/contracts/views";
import { initialRun, reduce } from "@/server/core/runs/reduce";
import { effectiveOpenFile } from "@/server/core/settings/effective-open-file";
import type { StoredRun } from "../../seed/seed";
import { Random } from "../../soak/random";
import { type JobName, jobs } from "./company-jobs";
import { MINUTE, NOW, SECOND } from "./moment";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const LOCATION = "/var/lib/stillframe/cache";
const MOST_CACHE = 3 * GIB;

type Failure = Pick<RunEvent & { type: "failure" }, "code" | "message" | "evidence"> & { volume?: string };
export type Told = {
  job: JobName;
  number: number;
  /** Milliseconds since 1970. */
  from: number;
  /** How long each group's backup took; the last one of a run without an end is still on. */
  tookMs: number;
  startedBy?: string;
  oneAtATime?: boolean;
  /** Not yet over at the moment. */
  live?: boolean;
  /** How it failed in the backup of the last group. */
  failure?: Failure;
  /** It never started: the failure is all there is. */
  missed?: boolean;
  /** Its snapshots were taken at the time-out of the wait for a quiet window. */
  withoutQuiet?: boolean;
  /** How it ended otherwise in the backup of the last group. `warnings`: what its log says, and its volumes. */
  end?: { outcome: "cancelled" } | { outcome: "warnings"; said: readonly string[] };
};
export type Story = StoredRun & { samples: KeptSample[]; live: boolean };

const sizes: Record<string, number> = { "/srv/documents": 640, "/var/lib/postgresql": 212, "/home": 96 };

export function tell({ job, number, from, tookMs, startedBy = "schedule", ...how }: Told): Story {
  const { input, id: jobId } = jobs[job];
  const mode = how.oneAtATime ? "oneAtATime" : "allAtOnce";
  const runId = `33333333-0000-4000-8000-${String(number).padStart(12, "0")}`;
  const { name: jobName, selection, destination, hooks } = input;
  const openFile = effectiveOpenFile(input.openFile, defaultSettings);
  const spec: Omit<RunSpec, "password"> = { runId, jobId, jobName, mode, selection, openFile, destination, hooks };
  const queued = initialRun(spec, { number, hostId: input.hostId, startedBy });
  const events = how.missed ? failed(from, how.failure) : went(selection.volumes, { mode, from, tookMs, ...how });
  return {
    run: events.reduce(reduce, queued),
    spec,
    createdAt: new Date(from).toISOString(),
    events,
    samples: how.missed ? [] : measured(selection.volumes, events, from, how.live ?? false),
    live: how.live ?? false,
  };
}

function failed(at: number, failure: Failure | undefined): RunEvent[] {
  if (!failure) throw new Error("a run that did not start needs its failure");
  const when = new Date(at).toISOString();
  return [
    { type: "failure", at: when, volume: null, ...failure },
    { type: "ended", at: when, outcome: "failed", code: failure.code },
  ];
}

type Way = Pick<Told, "from" | "tookMs" | "live" | "failure" | "end" | "withoutQuiet"> & { mode: RunSpec["mode"] };

function went(names: readonly string[], { mode, from, tookMs, live, failure, end, withoutQuiet }: Way): RunEvent[] {
  const groups = mode === "allAtOnce" ? [[...names]] : names.map((name) => [name]);
  let now = from;
  const at = (afterMs = 0) => {
    now += afterMs;
    return new Date(now).toISOString();
  };
  const events: RunEvent[] = [{ type: "started", at: at(), mode, groups }];
  for (const [group, members] of groups.entries()) {
    const last = group === groups.length - 1;
    events.push({ type: "phase", at: at(40), group, phase: "reserving" });
    for (const volume of members)
      events.push({
        type: "cacheReserved",
        at: at(12),
        group,
        volume,
        location: LOCATION,
        reservedBytes: GIB,
        maxBytes: MOST_CACHE,
      });
    if (failure?.code === "SF-104")
      return [...events, { type: "phase", at: at(5), group, phase: "preparing" }, ...over(group, at(tookMs), failure)];
    events.push({ type: "phase", at: at(8), group, phase: "waitingForQuiet" });
    if (failure?.code === "OFO-QUIET")
      return [
        ...events,
        { type: "quietGap", at: at(30 * SECOND), group, longestMs: 140 },
        ...over(group, at(30 * SECOND), failure),
      ];
    events.push({ type: "quietGap", at: at(5 * SECOND), group, longestMs: 140 });
    const quietFrom = at(13 * SECOND);
    if (withoutQuiet)
      events.push({ type: "quietEnded", at: at(42 * SECOND), group, from: null, waitedMs: 60_000, timedOut: true });
    else events.push({ type: "quietEnded", at: at(262), group, from: quietFrom, waitedMs: 18_262, timedOut: false });
    events.push({ type: "phase", at: at(1), group, phase: "freezing" });
    const takenAt = at(31);
    const frozen = members.map((name) => ({ name, takenAt }));
    events.push({ type: "frozen", at: takenAt, group, frozenMs: 31, spreadMs: 0, volumes: frozen });
    events.push(
      { type: "phase", at: at(1), group, phase: "snapshotted" },
      { type: "phase", at: at(2), group, phase: "backingUp" },
    );
    const begun = now;
    const total = members.reduce((sum, name) => sum + (sizes[name] ?? 14) * GIB, 0);
    for (const share of [0.1, 0.3, 0.5, 0.62, 0.66]) {
      now = begun + tookMs * share;
      const done = Math.floor(total * share);
      events.push({
        ...{ type: "progress", at: at(), group, bytesDone: done, bytesTotal: total },
        ...{
          filesDone: Math.floor(done / MIB),
          filesTotal: Math.floor(total / MIB),
          currentFile: `${members[0]}/base/16384/2619_fsm`,
        },
      });
    }
    if (live && last) return events;
    now = begun + tookMs;
    if (failure && last)
      return [
        ...events,
        ...over(
          group,
          at(),
          failure,
          members.map((name) => ended(name, takenAt, failure.code)),
        ),
      ];
    const cancelled = last && end?.outcome === "cancelled";
    const said = last && end?.outcome === "warnings" ? end.said : [];
    events.push(...said.map((text): RunEvent => ({ type: "log", at: at(2), level: "warn", text, code: null })));
    for (const name of members) {
      const state = cancelled ? "cancelled" : said.some((text) => text.includes(name)) ? "warnings" : "succeeded";
      events.push({
        type: "snapshotReleased",
        at: at(30),
        group,
        volume: name,
        cause: cancelled ? "cancelled" : "done",
      });
      events.push({
        type: "volumeEnded",
        at: at(5),
        group,
        result: { ...ended(name, takenAt, null), state, ...(cancelled && { bytesRead: 131 * GIB }) },
        backupSnapshot: cancelled ? null : "4f1c90aa",
      });
    }
    events.push(
      { type: "phase", at: at(4), group, phase: "releasing" },
      { type: "phase", at: at(220), group, phase: "done" },
    );
  }
  return [...events, { type: "ended", at: at(6), outcome: end?.outcome ?? "succeeded", code: null }];
}

function over(group: number, at: string, failure: Failure, results: VolumeResult[] = []): RunEvent[] {
  const released = results.map(
    (result): RunEvent => ({
      type: "snapshotReleased",
      at,
      group,
      volume: result.name,
      cause: failure.code === "a000851c" ? "overflow" : "done",
    }),
  );
  return [
    { type: "failure", at, volume: null, ...failure },
    ...released,
    ...results.map((result): RunEvent => ({ type: "volumeEnded", at, group, result, backupSnapshot: null })),
    { type: "phase", at, group, phase: "releasing" },
    { type: "ended", at, outcome: failure.code === "SF-106" ? "interrupted" : "failed", code: failure.code },
  ];
}

function ended(name: string, takenAt: string, code: VolumeResult["code"]): VolumeResult {
  const random = new Random("result", name);
  const preservedBlocks = random.whole(40_000, 300_000);
  return {
    ...{ name, provider: "engine", takenAt, code, state: code === null ? "succeeded" : "failed" },
    cacheUsedBytes: code === "a000851c" ? MOST_CACHE : preservedBlocks * 4096,
    bytesRead: (sizes[name] ?? 14) * GIB,
    preservedBlocks,
    skippedFreeBlocks: random.whole(10_000, 90_000),
    cacheLocation: LOCATION,
    cacheMaxBytes: MOST_CACHE,
  };
}

/** Some hundred measurements of each volume over the run; caches fill from the freeze to the release. */
function measured(names: readonly string[], events: readonly RunEvent[], from: number, live: boolean): KeptSample[] {
  const to = live ? NOW : Date.parse(events.at(-1)?.at ?? "");
  const frozenAt = (name: string) =>
    events.flatMap((event) => (event.type === "frozen" ? event.volumes : [])).find((volume) => volume.name === name)
      ?.takenAt;
  const results = new Map(
    events.flatMap((event) =>
      event.type === "volumeEnded"
        ? [[event.result.name, { at: Date.parse(event.at), used: event.result.cacheUsedBytes }] as const]
        : [],
    ),
  );
  const every = Math.max(500, (to - from) / 240);
  return names.flatMap((name, place) => {
    const random = new Random("run", name);
    const frozen = Date.parse(frozenAt(name) ?? "") || Number.POSITIVE_INFINITY;
    const end = results.get(name) ?? { at: NOW + 5 * MINUTE, used: (2 - place * 0.6) * GIB };
    let writes = 0;
    let lastWriteAt = from;
    return Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, i): KeptSample => {
      const time = Math.round(from + i * every);
      const resting = Math.abs(time - frozen) < 3 * every || random.chance(0.25);
      if (!resting) {
        writes += random.whole(20, 400);
        lastWriteAt = time;
      }
      const open = time >= frozen && time < end.at;
      const used = open ? Math.floor(end.used * ((time - frozen) / (end.at - frozen)) ** 0.7) : 0;
      return {
        ...{
          volume: name,
          at: new Date(time).toISOString(),
          writes,
          writeBytes: writes * 16_384,
          reads: 0,
          readBytes: 0,
        },
        ...{ lastWriteAt: new Date(lastWriteAt).toISOString(), quietMs: time - lastWriteAt },
        ...{ cacheUsedBytes: used, cacheReservedBytes: open ? GIB : 0, cacheMaxBytes: open ? MOST_CACHE : 0 },
        ...{
          preservedBlocks: Math.floor(used / 4096),
          skippedFreeBlocks: Math.floor(used / 16_384),
          openSnapshots: open ? 1 : 0,
        },
      };
    });
  });
}
