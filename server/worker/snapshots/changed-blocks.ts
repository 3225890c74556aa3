/** `snapshot.changes`: what the engines know of the blocks that changed between two snapshots. */
import type { HostInput, HostOutput } from "@/server/core/contracts/host-methods";
import { asEngineFault } from "../engine/engine-fault";
import { FaultError } from "../fault";
import type { Host } from "../host";
import type { AttachedVolume } from "../volumes/known-volumes";

export async function changedBlocks(
  host: Host,
  { id, since, offset }: HostInput<"snapshot.changes"> & { offset: number },
): Promise<HostOutput<"snapshot.changes">> {
  const volume = await volumeOf(host, id);
  try {
    const { extents, next } = await volume.watch.request("changes", { since, snapshot: id, offset });
    return { volume: volume.record.name, extents, next };
  } catch (error) {
    throw await asEngineFault(volume, error, "since");
  }
}

/** The volume that a snapshot was taken of; it may be released. */
async function volumeOf(host: Host, id: string): Promise<AttachedVolume> {
  const unknown: string[] = [];
  for (const volume of host.known.allAttached()) {
    const report = await volume.watch.describe().catch(() => volume.watch.latest);
    if (report?.tracking.since.includes(id)) return volume;
    if (report?.tracking.voidBecause) unknown.push(`${volume.record.name}: ${report.tracking.voidBecause}`);
  }
  const why = unknown.length > 0 ? ` (${unknown.join("; ")})` : "";
  throw new FaultError("notFound", `no engine remembers a snapshot "${id}"${why}`, { field: "id" });
}
