import { expect, test } from "vitest";
import type { VolumeView } from "@/server/core/contracts/views";
import { listVolumes, volumeListSchema } from "@/server/core/lists/volume-list";

const GIB = 1024 ** 3;

const volume = (hostId: string, name: string, more: Partial<VolumeView> = {}): VolumeView => ({
  name,
  mount: `/srv/${name}`,
  device: null,
  source: `/dev/${name}`,
  fsType: "ext4",
  sizeBytes: GIB,
  usedBytes: 0,
  provider: "engine",
  state: "attached",
  practice: false,
  writer: false,
  hostId,
  connected: true,
  ...more,
});
const hostName = (id: string) => ({ a: "zeta", b: "alpha" })[id] ?? "";

test("a host's volumes stay together, attached ones first, and names are ordered as a person counts", () => {
  const volumes = [
    volume("a", "data10"),
    volume("a", "data2"),
    volume("b", "spare", { state: "available" }),
    volume("b", "web", { sizeBytes: 4 * GIB, usedBytes: GIB }),
    volume("b", "mail", { usedBytes: GIB / 2, fsType: "xfs" }),
  ];
  const names = (asked: object) =>
    listVolumes(volumes, volumeListSchema.parse(asked), hostName).items.map(({ name }) => name);
  expect(names({})).toEqual(["mail", "web", "spare", "data2", "data10"]);
  expect(names({ sort: "largest" }).slice(0, 1)).toEqual(["web"]);
  expect(names({ sort: "fullest" }).slice(0, 2)).toEqual(["mail", "web"]);
  expect(names({ state: "available" })).toEqual(["spare"]);
  expect(names({ hostId: "a" })).toEqual(["data2", "data10"]);
  expect(names({ text: "ALPHA xfs" })).toEqual(["mail"]);
});
