/**
 * What can be pressed on a failure page. The console carries them out; an entry of the table offers
 * those that help for its code, the most likely first.
 */
export const actionIds = [
  "oneAtATime",
  "rerun",
  "useLongestGap",
  "quietHour",
  "freezeAnyway",
  "ignorePaths",
  "raiseMaximum",
  "holdWriters",
  "placeCache",
  "removeOrphans",
  "restartEngine",
  "restartWorker",
  "repair",
  "selfTest",
  "testHook",
  "hookWarns",
  "showSelection",
  "allowLocation",
] as const;
export type ActionId = (typeof actionIds)[number];

export interface Action {
  id: ActionId;
  /** The button. */
  label: string;
  /** What it changes, and what that costs. */
  description: string;
}

/** Wording that fits every code; an entry may override it. */
const wording: Record<ActionId, { label: string; description: string }> = {
  oneAtATime: {
    label: "One at a time, and rerun",
    description:
      "Changes this job only: each volume is frozen, backed up and released before the next. Only one cache exists at a time; the volumes' instants will differ.",
  },
  rerun: { label: "Rerun", description: "Runs the job again as it is." },
  useLongestGap: {
    label: "Use the longest gaps seen",
    description:
      "Lowers this job's minimum quiet time to a little less than the longest gaps that came several times, doubles the time that it waits for one, and reruns it.",
  },
  quietHour: {
    label: "Start at the quietest hour",
    description:
      "Moves this job's start to the hour in which its volumes rest longest, by what was measured of them; its days stay as they are. A job without a schedule gets that hour of the week.",
  },
  freezeAnyway: {
    label: "Freeze anyway",
    description:
      "From now on this job takes its snapshot at the time-out even without a quiet window, and says so in its result; then reruns it. The file systems are still frozen for the instant, so the image is consistent; an application may be caught between two of its writes.",
  },
  ignorePaths: {
    label: "Ignore writes to these paths",
    description:
      "Chooses files or directories of those that were written to: from now on writes to them do not spoil this job's quiet window. They are backed up all the same, as they are at the instant, perhaps between two writes. Then reruns it.",
  },
  raiseMaximum: {
    label: "Raise the maximum",
    description: "Doubles this job's largest cache size, as far as the location has room, and reruns it.",
  },
  holdWriters: {
    label: "Hold writers for a while",
    description:
      "From now on a write that finds this job's cache full waits until there is room again, for at most as long as the job says (5 s, unless it or the settings say otherwise). The application that wrote stands still for that long. If no room comes, the snapshot is released as before. Then reruns it.",
  },
  placeCache: {
    label: "Move or enlarge the cache",
    description:
      "Chooses where this job's caches are kept, by the room there is now, and how large each may become; then reruns it.",
  },
  removeOrphans: {
    label: "Remove orphaned caches",
    description: "Deletes cache files that no snapshot uses. Open snapshots are not touched.",
  },
  restartEngine: {
    label: "Restart the engine",
    description:
      "A new engine takes up this volume, with its open snapshots. The volume stays mounted; its writers wait meanwhile.",
  },
  restartWorker: {
    label: "Restart the worker",
    description:
      "Ends the worker of this host and waits until it is connected again. Volumes stay mounted and snapshots open: their engines go on without it.",
  },
  repair: {
    label: "Repair this host",
    description:
      "Takes up engines that do not answer, attaches and mounts volumes that should be, ends clean-ups that were interrupted and removes orphaned caches. What a run is at is left alone.",
  },
  selfTest: {
    label: "Run the self-test",
    description: "Attaches a small volume, snapshots it, overwrites it and compares. Your volumes are not touched.",
  },
  testHook: {
    label: "Run the hook alone",
    description: "Runs the hook as the job has it now, without a snapshot, and shows what it says.",
  },
  hookWarns: {
    label: "Only warn, and rerun",
    description:
      "From now on a failure of this hook is a warning, and the snapshot is taken all the same: it is as after a power cut, and the application's own files may not fit together.",
  },
  showSelection: { label: "Show the selection", description: "Opens the job at its volumes and paths." },
  allowLocation: {
    label: "Allow another location",
    description: "Opens the list of places where caches may be kept, to add one with room on another disk.",
  },
};

export function action(id: ActionId, description?: string, label?: string): Action {
  return { id, label: label ?? wording[id].label, description: description ?? wording[id].description };
}
