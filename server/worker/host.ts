/** What the parts of a worker share: the places, the volumes and the programs of this host. */
import type { CacheLocations } from "./cache/cache-locations";
import type { EngineProgram } from "./engine/engine-program";
import type { Places } from "./places";
import type { PracticeWriters } from "./practice/practice-writers";
import type { Undoer } from "./snapshots/undo";
import type { KnownVolumes } from "./volumes/known-volumes";

export interface Host {
  places: Places;
  known: KnownVolumes;
  engine: EngineProgram;
  caches: CacheLocations;
  writers: PracticeWriters;
  undoer: Undoer;
}
