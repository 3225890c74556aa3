import type { Outcome, Phase, VolumeResult } from "../contracts/run";

export type RunState = Outcome | Phase | VolumeResult["state"] | "queued";

/** The state of a run or of a volume in it, as it stands in lists. */
export const stateWords: Record<RunState, string> = {
  queued: "Queued",
  pending: "Waiting",
  reserving: "Reserving caches",
  preparing: "Running hooks",
  waitingForQuiet: "Waiting for quiet",
  holding: "Holding applications",
  freezing: "Freezing",
  snapshotted: "Snapshot taken",
  backingUp: "Backing up",
  releasing: "Releasing",
  done: "Done",
  succeeded: "Succeeded",
  warnings: "With warnings",
  failed: "Failed",
  cancelled: "Cancelled",
  interrupted: "Interrupted",
};
