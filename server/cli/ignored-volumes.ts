import { wholeVolumes } from "@/server/core/planning/selection";
import { wholeVolumeWords } from "@/server/core/settings/open-file-words";
import { printNote } from "./output/print";
import type { WorkerConnection } from "./worker-connection";

/** Says which of the paths, whose writes are ignored from now on, are whole volumes of this host. */
export async function noteIgnoredVolumes(
  worker: WorkerConnection,
  paths: readonly string[] | "inherit" | undefined,
): Promise<void> {
  if (paths === undefined || paths === "inherit" || paths.length === 0) return;
  for (const volume of wholeVolumes(paths, await worker.host("volume.list", {}))) printNote(wholeVolumeWords(volume));
}
