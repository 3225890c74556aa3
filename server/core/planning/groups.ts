/** Which volumes are snapped together. */
import type { JobOpenFile, Mode } from "../contracts/job";

/** The job's own setting if it has one, else the global one. */
export function effectiveMode(setting: JobOpenFile["oneAtATime"], globalOneAtATime: boolean): Mode {
  const oneAtATime = setting === "inherit" ? globalOneAtATime : setting === "on";
  return oneAtATime ? "oneAtATime" : "allAtOnce";
}

/** All at once: one group of all volumes. One at a time: a group for each, in the given order. */
export function groupsOf(mode: Mode, volumes: readonly string[]): string[][] {
  const unique = [...new Set(volumes)];
  return mode === "allAtOnce" ? [unique] : unique.map((v) => [v]);
}
