/**
 * A run as a state machine: a pure function from a run and an event to the run after it. The worker checks
 * itself with it and the console builds its history with it, so both always mean the same by a run.
 *
 * An event that the present state does not allow is refused with `IllegalTransition`; the run is unchanged.
 * The first failure's code stays: a later symptom never overwrites it.
 */
import type { RunSpec } from "../contracts/job";
import type { Outcome, Run, RunEvent, VolumeResult } from "../contracts/run";
import { isEnded, mayEnd, mayEnter } from "./phases";

export class IllegalTransition extends Error {
  override name = "IllegalTransition";
  constructor(run: Run, event: RunEvent, reason: string) {
    super(`run ${run.id} (${run.state}) refuses ${event.type}: ${reason}`);
  }
}

/** A queued run. `place` is the console's to know; a worker may pass the number 1 and the host "local". */
export function initialRun(
  spec: Pick<RunSpec, "runId" | "jobId" | "jobName" | "mode" | "selection">,
  place: Pick<Run, "number" | "hostId" | "startedBy" | "dueAt">,
): Run {
  return {
    id: spec.runId,
    number: place.number,
    job: { id: spec.jobId, name: spec.jobName },
    hostId: place.hostId,
    ...(place.startedBy !== undefined && { startedBy: place.startedBy }),
    ...(place.dueAt !== undefined && { dueAt: place.dueAt }),
    mode: spec.mode,
    state: "queued",
    code: null,
    startedAt: null,
    endedAt: null,
    volumes: spec.selection.volumes.map(pendingVolume),
  };
}

function pendingVolume(name: string): VolumeResult {
  return {
    name,
    provider: "none",
    takenAt: null,
    state: "pending",
    code: null,
    cacheUsedBytes: 0,
    bytesRead: 0,
    preservedBlocks: 0,
    skippedFreeBlocks: 0,
    cacheLocation: null,
    cacheMaxBytes: 0,
  };
}

/** The run after the event. Throws `IllegalTransition` when the run's state does not allow it. */
export function reduce(run: Run, event: RunEvent): Run {
  if (event.type === "log") return run;
  if (isEnded(run.state)) throw new IllegalTransition(run, event, "the run has ended");
  if (event.type === "started") return start(run, event);
  if (run.state === "queued" && event.type === "phase" && run.startedAt === null) {
    throw new IllegalTransition(run, event, "the run has not started");
  }
  switch (event.type) {
    case "phase":
      if (!mayEnter(run.state, event.phase)) {
        throw new IllegalTransition(run, event, `${event.phase} does not follow ${run.state}`);
      }
      return { ...run, state: event.phase };
    case "cacheReserved":
      return changeVolume(run, event, event.volume, { cacheLocation: event.location, cacheMaxBytes: event.maxBytes });
    case "frozen":
      return event.volumes.reduce(
        (changed, v) => changeVolume(changed, event, v.name, { takenAt: v.takenAt, provider: "engine" }),
        run,
      );
    case "volumeEnded":
      return changeVolume(run, event, event.result.name, event.result);
    case "failure":
      return { ...run, code: run.code ?? event.code };
    case "ended":
      return end(run, event);
    case "quietEnded":
      return quietEnded(run, event);
    case "quietGap":
    case "progress":
    case "snapshotReleased":
      return run;
  }
}

function start(run: Run, event: RunEvent & { type: "started" }): Run {
  if (run.startedAt !== null) throw new IllegalTransition(run, event, "the run has already started");
  return { ...run, mode: event.mode, startedAt: event.at };
}

/** All at once there is one group; else the groups are the volumes in their order. */
function quietEnded(run: Run, { group, timedOut, from }: RunEvent & { type: "quietEnded" }): Run {
  if (!timedOut && from === null) return run;
  const quiet = timedOut ? "missed" : "found";
  const mine = (index: number) => run.mode === "allAtOnce" || index === group;
  return { ...run, volumes: run.volumes.map((volume, index) => (mine(index) ? { ...volume, quiet } : volume)) };
}

function end(run: Run, event: RunEvent & { type: "ended" }): Run {
  if (!mayEnd(run.state, event.outcome)) {
    throw new IllegalTransition(run, event, `a run cannot end as ${event.outcome} from ${run.state}`);
  }
  return {
    ...run,
    state: event.outcome,
    code: run.code ?? event.code,
    endedAt: event.at,
    volumes: run.volumes.map((v) => (v.state === "pending" ? { ...v, state: unfinishedState(event.outcome) } : v)),
  };
}

function unfinishedState(outcome: Outcome): VolumeResult["state"] {
  return outcome === "cancelled" || outcome === "interrupted" ? "cancelled" : "failed";
}

function changeVolume(run: Run, event: RunEvent, name: string, change: Partial<VolumeResult>): Run {
  if (!run.volumes.some((v) => v.name === name)) {
    throw new IllegalTransition(run, event, `volume "${name}" is not part of the run`);
  }
  return { ...run, volumes: run.volumes.map((v) => (v.name === name ? { ...v, ...change } : v)) };
}
