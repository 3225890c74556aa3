/**
 * Puts the engine under a volume and takes it away again. Whatever fails on the way is undone, so a refusal
 * leaves the volume as it was found.
 */
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { HostInput } from "@/server/core/contracts/host-methods";
import type { EngineProgram } from "../engine/engine-program";
import { livingKeeper } from "../engine/keeper";
import type { AttachResult } from "../engine/protocol.gen";
import { FaultError } from "../fault";
import { log } from "../log";
import { engineDirectory, volumeId } from "../places";
import { childrenOf, signal } from "../programs/processes";
import {
  deviceNumber,
  fileSystemType,
  isHeld,
  isUblk,
  loopBackingFile,
  passingLoopImage,
  sectorSizeFor,
} from "./block-device";
import { foreignHolders } from "./foreign-mounts";
import type { AttachedVolume, KnownVolume, KnownVolumes } from "./known-volumes";
import { type Mount, readMounts } from "./mount-table";
import { mountDevice, unmount } from "./mounting";
import { resolveSource } from "./source";

/** `volume.attach`. */
export async function attachVolume(
  known: KnownVolumes,
  engine: EngineProgram,
  input: HostInput<"volume.attach">,
): Promise<AttachedVolume> {
  const source = await resolveSource(input.source);
  const before = knownBy(known, source.backing);
  if (before !== null) return attachRecord(known, engine, { ...before, suspended: false });
  if (source.mount !== null && !input.remount) {
    const where = source.mount.mountPoint;
    throw new FaultError(
      "conflict",
      `${source.backing} is mounted at ${where}; allow it to be unmounted and mounted again (remount)`,
      { field: "source" },
    );
  }
  const mount = input.mount ?? source.mount?.mountPoint ?? null;
  const name = input.name ?? mount ?? basename(source.backing);
  if (known.find(name) !== null) {
    throw new FaultError("conflict", `there is already a volume named "${name}"`, { field: "name" });
  }
  const record: KnownVolume = {
    id: volumeId(name),
    name,
    source: source.backing,
    mount,
    fsType: source.mount?.fsType ?? (await fileSystemType(source.backing)),
    sectorSize: await sectorSizeFor(source.backing),
    practice: false,
    writer: false,
    remounted: source.mount !== null && source.mount.mountPoint === mount,
    suspended: false,
    attaching: { foundAt: source.mount?.mountPoint ?? null },
  };
  if (mount !== null && record.fsType === null) {
    throw new FaultError("invalid", `${source.backing} holds no file system that can be mounted`, { field: "mount" });
  }
  // Before anything changes: should this worker be killed, the next start completes it or takes it back.
  await known.save(record);
  try {
    if (source.mount !== null) await unmount(source.mount.mountPoint);
    return await attachRecord(known, engine, record);
  } catch (error) {
    await forgetAttaching(known, record);
    throw error;
  }
}

/** After a first attach that failed: the volume is unknown again, and its backing store mounted where it was found. */
async function forgetAttaching(known: KnownVolumes, record: KnownVolume): Promise<void> {
  const foundAt = record.attaching?.foundAt ?? null;
  if (foundAt !== null && !(await isMountedDirectly(foundAt, record.source))) {
    await mountDevice(record.source, foundAt, record.fsType).catch((err: unknown) => {
      log.error({ err, volume: record.name }, `${record.source} is not mounted at ${foundAt} again`);
    });
  }
  await known.forget(record.name);
}

/**
 * At start: a volume that was mounted without the engine meanwhile is unmounted first, and mounted again on failure. One
 * whose first attach a killed worker was at is attached now, or taken back.
 */
export async function reattachVolume(
  known: KnownVolumes,
  engine: EngineProgram,
  record: KnownVolume,
): Promise<AttachedVolume> {
  const left = record.remounted && record.mount !== null && (await leaveMount(record.mount, record.source));
  try {
    return await attachRecord(known, engine, record);
  } catch (error) {
    if (left && record.mount !== null) await mountDevice(record.source, record.mount, record.fsType);
    if (record.attaching !== null) await forgetAttaching(known, record);
    if (left || record.attaching !== null) throw error;
    return attachLeft(known, engine, record, error);
  }
}

/** What was left of one that `refused` to be attached as it is. */
async function attachLeft(
  known: KnownVolumes,
  engine: EngineProgram,
  record: KnownVolume,
  refused: unknown,
): Promise<AttachedVolume> {
  const runDirectory = engineDirectory(known.places, record.id);
  const keeper = await livingKeeper(runDirectory);
  if (keeper === null) {
    if (await isDeadMount(known, record)) return repairVolume(known, engine, record);
  } else if (refused instanceof FaultError && refused.kind === "busy") {
    // It does not answer. Its keeper has another take up all that it has, snapshots and whoever uses the device.
    const engines = await childrenOf(keeper);
    for (const pid of engines) signal(pid, "SIGKILL");
    log.warn({ err: refused, volume: record.name, engines }, "an engine that hangs is replaced");
    return attachRecord(known, engine, record);
  }
  throw refused;
}

/** At the end: unmounted, detached, and back where it was found. The record stays for the next start. */
export async function returnVolume(known: KnownVolumes, engine: EngineProgram, record: KnownVolume): Promise<void> {
  await suspendVolume(known, engine, record.name);
  if (record.remounted && record.mount !== null) await mountDevice(record.source, record.mount, record.fsType);
}

/** Unmounts `source` from there when it is mounted directly; true when it was. */
async function leaveMount(mountPoint: string, source: string): Promise<boolean> {
  const direct = await isMountedDirectly(mountPoint, source);
  if (direct) await unmount(mountPoint);
  return direct;
}

async function isMountedDirectly(mountPoint: string, source: string): Promise<boolean> {
  const mount = (await readMounts()).filter((m) => m.mountPoint === mountPoint).at(-1);
  if (mount === undefined) return false;
  return (await deviceNumber(source)) === mount.device || (await passingLoopImage(mount.device)) === source;
}

/** Whether the mount point holds the live device of an engine of ours that does not answer any more. */
async function isDeadMount(known: KnownVolumes, record: KnownVolume): Promise<boolean> {
  const mount = (await readMounts()).filter((m) => m.mountPoint === record.mount).at(-1);
  const file = mount === undefined ? null : await loopBackingFile(mount.device);
  return file?.startsWith(`${engineDirectory(known.places, record.id)}/`) ?? false;
}

/** Attaches and mounts a volume as its record says, then keeps the record. */
export async function attachRecord(
  known: KnownVolumes,
  engine: EngineProgram,
  wanted: KnownVolume,
): Promise<AttachedVolume> {
  const record = { ...wanted, attaching: null };
  const attached = await attachEngine(known, engine, record);
  try {
    if (record.mount !== null) await mountUnlessMounted(attached.device, record);
    await known.save(record);
    return known.setAttached(record, attached);
  } catch (error) {
    await engine
      .detach(engineDirectory(known.places, record.id))
      .catch((err: unknown) => log.error({ err, volume: record.name }, "detach failed"));
    throw error;
  }
}

async function attachEngine(known: KnownVolumes, engine: EngineProgram, record: KnownVolume): Promise<AttachResult> {
  const { id, source: backing, sectorSize } = record;
  const stateDirectory = known.places.changes;
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
  const runDirectory = engineDirectory(known.places, id);
  return engine.attach({ id, backing, runDirectory, sectorSize, stateDirectory });
}

/** `volume.detach` of an ordinary volume, and the end of a practice volume. The record is forgotten. */
export async function detachVolume(known: KnownVolumes, engine: EngineProgram, name: string): Promise<void> {
  await returnVolume(known, engine, known.require(name));
  await known.forget(name);
}

/** Unmounts and detaches, but keeps the record: the next start attaches it again. */
export async function suspendVolume(known: KnownVolumes, engine: EngineProgram, name: string): Promise<void> {
  const record = known.require(name);
  const attached = known.findAttached(name);
  if (attached === null) return;
  // One that does not answer says nothing of its snapshots: while it lives, it cannot be detached below.
  const report = await attached.watch.describe().catch(() => null);
  const open = report?.snapshots ?? [];
  if (open.length > 0) {
    throw new FaultError("busy", `volume "${name}" has ${open.length} open snapshot(s); release them first`);
  }
  const mounts = await mountsOf(attached.device);
  let told = false;
  try {
    await unmountAll(mounts.map((m) => m.mountPoint));
    if (report !== null && (await isHeld(attached.device))) {
      const holders = await foreignHolders(attached.device);
      const who = holders.length > 0 ? holders.join(", ") : "no process is in it, a file keeps it";
      throw new FaultError("busy", `volume "${name}" is still mounted in another mount namespace: ${who}`);
    }
    told = true;
    await engine.detach(engineDirectory(known.places, record.id));
  } catch (error) {
    // The engine may have given its device up before it refused; it makes another then.
    const device = told ? await deviceAgain(known, engine, attached) : attached.device;
    await mountAgain(device, mounts, record.name);
    throw error;
  }
  known.setDetached(name);
}

async function deviceAgain(known: KnownVolumes, engine: EngineProgram, volume: AttachedVolume): Promise<string> {
  const { record, device } = volume;
  try {
    const again = await attachEngine(known, engine, record);
    return again.device === device ? device : known.setAttached(record, again).device;
  } catch (err) {
    log.error({ err, volume: record.name }, "after a refused detach the engine cannot be asked for its device");
    return device;
  }
}

/** After a refusal, whose reason counts more than what cannot be mounted again. */
async function mountAgain(device: string, mounts: readonly Mount[], volume: string): Promise<void> {
  const there = await mountPointsOf(device);
  const whole = mounts.find((m) => m.root === "/")?.mountPoint;
  for (const { mountPoint, root, fsType, options } of mounts.filter((m) => !there.includes(m.mountPoint))) {
    const how = options.includes("ro") ? ["ro"] : [];
    const what = root === "/" ? device : whole && join(whole, root);
    const mounting =
      what === undefined
        ? Promise.reject(new Error(`of its file system only ${root} was bound there`))
        : mountDevice(what, mountPoint, root === "/" ? fsType : null, root === "/" ? how : ["bind", ...how]);
    await mounting.catch((err: unknown) => {
      log.error({ err, volume }, `after a refused detach ${device} is not mounted at ${mountPoint} again`);
    });
  }
}

/**
 * Repairs a volume whose engine and keeper are gone. A ublk device waits with all who use it, and goes on under a new
 * keeper. Any other live device answers nothing but errors: what is left is taken down, and the volume attached anew.
 * Its snapshots are lost, its data is not.
 */
export async function repairVolume(
  known: KnownVolumes,
  engine: EngineProgram,
  record: KnownVolume,
): Promise<AttachedVolume> {
  const device = known.findAttached(record.name)?.device ?? null;
  const mount = record.mount === null ? [] : [record.mount];
  const points = device === null ? mount : await mountPointsOf(device);
  const runDirectory = engineDirectory(known.places, record.id);
  if (device !== null && isUblk(device)) {
    const revived = await attachRecord(known, engine, record).catch((err: unknown) => {
      log.error({ err, volume: record.name }, "the waiting device cannot be taken up; the volume is attached anew");
      return null;
    });
    if (revived !== null) return revived;
    // Whoever waits for it gets errors now: unmounting would wait as well.
    await engine.detach(runDirectory, { force: true });
  }
  await unmountAll(points);
  await engine.detach(runDirectory, { force: true });
  return attachRecord(known, engine, record);
}

/** Outermost first. */
async function mountPointsOf(device: string): Promise<string[]> {
  return (await mountsOf(device)).map((m) => m.mountPoint);
}

async function mountsOf(device: string): Promise<Mount[]> {
  const number = await deviceNumber(device);
  return (await readMounts()).filter((m) => m.device === number);
}

async function unmountAll(points: readonly string[]): Promise<void> {
  for (const point of [...points].reverse()) await unmount(point);
}

/** Whether it had to be mounted. */
export async function mountUnlessMounted(device: string, record: KnownVolume): Promise<boolean> {
  if (record.mount === null) return false;
  const number = await deviceNumber(device);
  const mounts = await readMounts();
  const there = mounts.filter((m) => m.mountPoint === record.mount).at(-1);
  if (there?.device === number) return false;
  if (there !== undefined) {
    throw new FaultError("conflict", `${record.mount} is already a mount point of ${there.source}`, { field: "mount" });
  }
  await mountDevice(device, record.mount, record.fsType);
  return true;
}

/** The record of a backing store that was given before and is detached now; refuses one that is attached. */
function knownBy(known: KnownVolumes, backing: string): KnownVolume | null {
  const record = known.all().find((r) => r.source === backing || known.findAttached(r.name)?.device === backing);
  if (record === undefined) return null;
  if (known.findAttached(record.name) === null) return record;
  throw new FaultError("conflict", `${backing} is already attached as volume "${record.name}"`, { field: "source" });
}
