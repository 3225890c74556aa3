import type { Mode, OpenFile } from "@/server/core/contracts/job";
import type { Settings } from "@/server/core/contracts/settings";

/** The job's own setting if it has one, else the global one. */
export function effectiveMode(openFile: OpenFile, settings: Settings): Mode {
  const one = openFile.oneAtATime === "inherit" ? settings.oneAtATime : openFile.oneAtATime === "on";
  return one ? "oneAtATime" : "allAtOnce";
}
