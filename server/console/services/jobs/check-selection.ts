/** Refuses what cannot work on the job's host, as far as its volumes are known. */
import type { Volume } from "@/server/core/contracts/volume";
import { holderOf, isWithin } from "@/server/core/planning/selection";
import type { NewJob } from "../../data/jobs";
import { fault } from "../fault-error";

/** `known`: the host's volumes as last heard of; null when it was never heard of. Throws a fault that names the field. */
export function checkSelection({ selection, openFile, destination }: NewJob, known: Volume[] | null): void {
  const twice = selection.volumes.find((name, i) => selection.volumes.indexOf(name) !== i);
  if (twice !== undefined) {
    throw fault("invalid", `Volume ${twice} is chosen twice.`, { field: "selection.volumes" });
  }
  if (known === null) return;
  const chosen = selection.volumes.map((name) => {
    const volume = known.find((candidate) => candidate.name === name);
    if (!volume) throw fault("invalid", `There is no volume ${name} on this host.`, { field: "selection.volumes" });
    return volume;
  });
  if (chosen.every((volume) => volume.mount !== null)) {
    const stray = selection.paths.find((path) => !chosen.some((volume) => lies(path, volume.mount)));
    if (stray !== undefined) {
      throw fault("invalid", `${stray} is on none of the chosen volumes.`, { field: "selection.paths" });
    }
  }
  const refuseIfFrozen = (field: string, path: string | null, why: string): void => {
    const holder = path === null ? undefined : holderOf(path, known);
    if (holder === undefined || holder.state !== "attached" || !chosen.includes(holder)) return;
    throw fault("invalid", `${path} is on ${holder.name} itself. ${why}`, { field });
  };
  const { location } = openFile.cache;
  refuseIfFrozen("openFile.cache.location", location, "A cache cannot be kept on a volume that is frozen.");
  if (destination.kind === "restic" && openFile.enabled) {
    const why = "A backup into a volume that is frozen would fill its cache.";
    refuseIfFrozen("destination.repository", destination.repository, why);
  }
}

const lies = (path: string, mount: string | null): boolean => mount !== null && isWithin(path, mount);
