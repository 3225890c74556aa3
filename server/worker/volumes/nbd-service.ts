/** NBD: which images of an attached volume its engine serves, and by what URIs clients reach them. */
import type { z } from "zod";
import type { NbdService, nbdServeInput, nbdStopInput } from "@/server/core/contracts/nbd";
import { asEngineFault } from "../engine/engine-fault";
import type { NbdReport, ServeNbdParams } from "../engine/protocol.gen";
import { FaultError } from "../fault";
import { deviceNumber } from "./block-device";
import type { AttachedVolume, KnownVolumes } from "./known-volumes";
import { readMounts } from "./mount-table";

/** What the engine calls the live volume. */
const LIVE = "live";

/** `nbd.serve`. Throws `busy` when a mounted volume is to be written to. */
export async function serveNbd(known: KnownVolumes, input: z.output<typeof nbdServeInput>): Promise<NbdService> {
  const volume = await volumeOf(known, input);
  if (input.writable) await refuseWhenMounted(volume);
  const { snapshot, tcp } = input;
  const whole: ServeNbdParams = { live: input.writable ? "readWrite" : "readOnly", allSnapshots: true, tcp };
  try {
    const params = snapshot === undefined ? whole : { snapshots: [snapshot], tcp };
    return serviceOf(volume, await volume.watch.request("serveNbd", params));
  } catch (error) {
    throw await asEngineFault(volume, error);
  }
}

/** `nbd.list`: volumes that are served. One whose engine does not answer is left out. */
export async function nbdServices(known: KnownVolumes): Promise<NbdService[]> {
  const services: NbdService[] = [];
  for (const volume of known.allAttached()) {
    const report = await volume.watch.describe().catch(() => volume.watch.latest);
    if (report?.nbd) services.push(serviceOf(volume, report.nbd));
  }
  return services;
}

/** `nbd.stop`. Whether it was served is of no matter. */
export async function stopNbd(known: KnownVolumes, input: z.output<typeof nbdStopInput>): Promise<void> {
  const volume = await volumeOf(known, input);
  try {
    await volume.watch.request("stopNbd", { snapshot: input.snapshot });
  } catch (error) {
    throw await asEngineFault(volume, error);
  }
}

async function volumeOf(known: KnownVolumes, input: { volume?: string; snapshot?: string }): Promise<AttachedVolume> {
  if (input.snapshot === undefined) return known.requireAttached(input.volume ?? "");
  for (const volume of known.allAttached()) {
    const report = await volume.watch.describe().catch(() => volume.watch.latest);
    if (report?.snapshots.some((snapshot) => snapshot.id === input.snapshot)) return volume;
  }
  throw new FaultError("notFound", `there is no snapshot "${input.snapshot}"`);
}

/** Two writers that do not know of each other destroy a file system. */
async function refuseWhenMounted({ record, device }: AttachedVolume): Promise<void> {
  const number = await deviceNumber(device);
  const mount = (await readMounts()).find((m) => m.device === number);
  if (mount === undefined) return;
  const message = `volume "${record.name}" is mounted at ${mount.mountPoint}: a client that writes beside it would destroy its file system`;
  throw new FaultError("busy", message, { field: "writable" });
}

function serviceOf(volume: AttachedVolume, nbd: NbdReport): NbdService {
  const uris = (name: string) => {
    const over = [`nbd+unix:///${encodeURIComponent(name)}?socket=${encodePath(nbd.socket)}`];
    if (nbd.tcp === null) return over;
    const { address, port, tls } = nbd.tcp;
    const host = address.includes(":") ? `[${address}]` : address;
    return [...over, `${tls ? "nbds" : "nbd"}://${host}:${port}/${encodeURIComponent(name)}`];
  };
  const live = nbd.live === null ? [] : [{ name: LIVE, readOnly: nbd.live === "readOnly", uris: uris(LIVE) }];
  const frozen = nbd.snapshots.map((name) => ({ name, readOnly: true, uris: uris(name) }));
  const { socket, tcp, connections } = nbd;
  return { volume: volume.record.name, socket, tcp, exports: [...live, ...frozen], connections };
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
