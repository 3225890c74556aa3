/** The list of volumes: what can be asked of it, and the answer. The browser has them all, with live data. */
import { z } from "zod";
import type { VolumeView } from "../contracts/views";
import { volumeStateSchema } from "../contracts/volume";
import { listFields } from "./list-query";
import { containsWords, cutPage, type Page } from "./paging";

export const volumeListSchema = z
  .object({
    ...listFields,
    state: z.enum(["", ...volumeStateSchema.options]).default(""),
    hostId: z.string().default(""),
    sort: z.enum(["state", "name", "largest", "fullest"]).default("state"),
  })
  .strict();
export type VolumeListQuery = z.output<typeof volumeListSchema>;

/** What is attached, or should be, before what could be. */
const rank: Record<VolumeView["state"], number> = { unreachable: 0, attached: 0, detached: 1, available: 2 };
const byName = new Intl.Collator("en", { numeric: true });
const filled = ({ usedBytes, sizeBytes }: VolumeView) => (sizeBytes > 0 ? usedBytes / sizeBytes : 0);

const orders: Record<VolumeListQuery["sort"], (a: VolumeView, b: VolumeView) => number> = {
  state: (a, b) => rank[a.state] - rank[b.state],
  name: () => 0,
  largest: (a, b) => b.sizeBytes - a.sizeBytes,
  fullest: (a, b) => filled(b) - filled(a),
};

/** `hostName`: what a host is called. The volumes of a host stay together; hosts are in the order of their names. */
export function listVolumes(
  volumes: readonly VolumeView[],
  query: VolumeListQuery,
  hostName: (id: string) => string,
): Page<VolumeView> {
  const found = volumes
    .filter(({ state }) => query.state === "" || state === query.state)
    .filter(({ hostId }) => query.hostId === "" || hostId === query.hostId)
    .filter(({ name, mount, device, source, fsType, hostId }) =>
      containsWords(query.text, [name, mount, device, source, fsType, hostName(hostId)]),
    )
    .sort(
      (a, b) =>
        byName.compare(hostName(a.hostId), hostName(b.hostId)) ||
        a.hostId.localeCompare(b.hostId) ||
        orders[query.sort](a, b) ||
        byName.compare(a.name, b.name),
    );
  return cutPage(found, query.page, volumes.length);
}
