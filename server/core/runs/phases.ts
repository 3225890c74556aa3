/**
 * The order of a run's phases, as one table. A group passes reserving → preparing → waitingForQuiet → holding →
 * freezing → snapshotted → backingUp → releasing → done; a run of several groups starts over at `reserving`.
 *
 * - `preparing` and `holding` are the job's hooks (before the freeze, and those that hold an application during it);
 *   a job without such hooks passes neither.
 * - Any phase may go straight to `releasing`: that is what a failure or a cancel does.
 * - `reserving → backingUp` and `freezing → backingUp` are a plain read of the live volume, where the job allows it.
 * - A run may end from any state, but ends well only after `done`.
 */
import type { Outcome, Phase, Run } from "../contracts/run";

const following: Record<Phase | "queued", readonly Phase[]> = {
  queued: ["reserving"],
  reserving: ["preparing", "waitingForQuiet", "holding", "freezing", "backingUp", "releasing"],
  preparing: ["waitingForQuiet", "holding", "freezing", "backingUp", "releasing"],
  waitingForQuiet: ["holding", "freezing", "backingUp", "releasing"],
  holding: ["freezing", "backingUp", "releasing"],
  freezing: ["snapshotted", "backingUp", "releasing"],
  snapshotted: ["backingUp", "releasing"],
  backingUp: ["releasing"],
  releasing: ["done"],
  done: ["reserving"],
};

const outcomes: ReadonlySet<Run["state"]> = new Set<Outcome>([
  "succeeded",
  "warnings",
  "failed",
  "cancelled",
  "interrupted",
]);

/** Whether a run in this state is over. */
export function isEnded(state: Run["state"]): state is Outcome {
  return outcomes.has(state);
}

/** Whether a run in `state` may enter `phase`. */
export function mayEnter(state: Run["state"], phase: Phase): boolean {
  return !isEnded(state) && following[state].includes(phase);
}

/** Whether a run in `state` may end as `outcome`. */
export function mayEnd(state: Run["state"], outcome: Outcome): boolean {
  if (isEnded(state)) return false;
  return outcome === "succeeded" || outcome === "warnings" ? state === "done" : true;
}
