/** The volumes of a run as they are at its start: snapped by the engine, read live, or impossible. */
import type { OpenFile } from "@/server/core/contracts/job";
import type { Volume } from "@/server/core/contracts/volume";
import { codedFault, type FaultError } from "../fault";
import type { Host } from "../host";
import type { AttachedVolume } from "../volumes/known-volumes";

export interface RunTarget {
  name: string;
  mount: string;
  usedBytes: number;
  /** Null: it is read as it is. */
  attached: AttachedVolume | null;
  /** Why it is read live although the job asked for a snapshot. */
  warning: FaultError | null;
}

/** Resolves a name of the job. Throws SF-105 when no snapshot can be had and the job does not allow a plain read. */
export function resolveTarget(host: Host, name: string, volumes: readonly Volume[], openFile: OpenFile): RunTarget {
  const volume = volumes.find((v) => v.name === name);
  if (volume === undefined) throw impossible(name, "no such volume on this host");
  if (volume.mount === null || volume.state === "detached") throw impossible(name, "it is not mounted");
  const target = { name, mount: volume.mount, usedBytes: volume.usedBytes };
  if (!openFile.enabled) return { ...target, attached: null, warning: null };
  const attached = host.known.findAttached(name);
  if (attached !== null) return { ...target, attached, warning: null };
  const fault = impossible(name, "it is not attached to the engine, so its writes cannot be followed");
  if (openFile.noSnapshot === "fail") throw fault;
  return { ...target, attached: null, warning: fault };
}

function impossible(name: string, reason: string): FaultError {
  return codedFault("failed", "SF-105", `volume "${name}" cannot be snapshotted: ${reason}`, {
    volume: name,
    providers: [{ name: "engine", reason }],
  });
}
