import type { Phase } from "../contracts/run";

/** What a run does in a phase, within a sentence. */
export const phaseWords: Record<Phase, string> = {
  reserving: "reserving cache",
  preparing: "running hooks before the freeze",
  waitingForQuiet: "waiting for a quiet window",
  holding: "bringing applications to a hold",
  freezing: "freezing",
  snapshotted: "snapshotted",
  backingUp: "backing up",
  releasing: "releasing",
  done: "done",
};

/** A phase's name, or a state's, as words; an unknown one stays as it is. */
export function inWords(phase: string): string {
  return Object.hasOwn(phaseWords, phase) ? phaseWords[phase as Phase] : phase;
}
