/** The volumes of this host: those that Stillframe was given, and every other mounted file system on a block device. */
import { stat, statfs } from "node:fs/promises";
import type { Volume } from "@/server/core/contracts/volume";
import { isWriterRunning } from "../practice/practice-writers";
import { deviceNumber, deviceSizeBytes, loopBackingFile } from "./block-device";
import type { KnownVolume, KnownVolumes } from "./known-volumes";
import { type Mount, readMounts } from "./mount-table";
import { firstWhole } from "./mounted-at";

/** File systems that hold a server's data. Others are pseudo, remote, stacked or read-only by nature. */
const PROTECTABLE = new Set(["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "vfat", "exfat", "ntfs3"]);

interface Use {
  sizeBytes: number;
  usedBytes: number;
}

/** Size and use of a mounted file system; zeroes when it does not answer. */
async function measureUse(mountPoint: string | null): Promise<Use> {
  const none = { sizeBytes: 0, usedBytes: 0 };
  if (mountPoint === null) return none;
  const fs = await statfs(mountPoint).catch(() => null);
  if (fs === null) return none;
  return { sizeBytes: fs.blocks * fs.bsize, usedBytes: (fs.blocks - fs.bfree) * fs.bsize };
}

/** All volumes: known ones first, each device once. */
export async function listVolumes(known: KnownVolumes): Promise<Volume[]> {
  const mounts = await readMounts();
  const volumes: Volume[] = [];
  const devices = new Set<string>();
  for (const record of known.all()) {
    const number = await deviceNumber(known.findAttached(record.name)?.device ?? record.source);
    if (number !== null) devices.add(number);
    volumes.push(await describeKnown(known, record, mounts));
  }
  for (const mount of mounts) {
    if (!isOrdinary(mount) || devices.has(mount.device)) continue;
    devices.add(mount.device);
    if (!(await isServedByAnEngine(mount.device))) volumes.push(await describeMounted(mount));
  }
  return volumes;
}

/** One known volume as it is now. */
export async function describeKnown(known: KnownVolumes, record: KnownVolume, mounts: Mount[]): Promise<Volume> {
  const attached = known.findAttached(record.name);
  const device = attached?.device ?? record.source;
  const number = await deviceNumber(device);
  const mounted = firstWhole(mounts, device, number);
  const mount = mounted?.mountPoint ?? null;
  const use = await measureUse(mount);
  const state = attached === null ? "detached" : attached.watch.reachable ? "attached" : "unreachable";
  return {
    name: record.name,
    mount: mount ?? (attached === null ? record.mount : null),
    device: attached?.device ?? null,
    source: record.source,
    fsType: mounted?.fsType ?? record.fsType,
    sizeBytes: attached?.sizeBytes ?? (await backingSize(record.source, number)),
    usedBytes: use.usedBytes,
    provider: "engine",
    state,
    practice: record.practice,
    writer: record.writer && (await isWriterRunning(known.places, record)),
    transport: attached?.watch.latest?.transport,
    notUblkBecause: attached?.watch.latest?.notUblkBecause ?? undefined,
  };
}

async function backingSize(source: string, number: string | null): Promise<number> {
  if (number !== null) return (await deviceSizeBytes(number)) ?? 0;
  return (await stat(source).catch(() => null))?.size ?? 0;
}

function isOrdinary(mount: Mount): boolean {
  return PROTECTABLE.has(mount.fsType) && mount.source.startsWith("/dev/") && mount.root === "/";
}

/** A live device or a frozen image of some engine, this worker's or another's: not a volume of its own. */
async function isServedByAnEngine(device: string): Promise<boolean> {
  const file = await loopBackingFile(device);
  return file !== null && /\/fuse\/(live|snap-[^/]+)$/.test(file);
}

async function describeMounted(mount: Mount): Promise<Volume> {
  const use = await measureUse(mount.mountPoint);
  return {
    name: mount.mountPoint,
    mount: mount.mountPoint,
    device: mount.source,
    source: (await loopBackingFile(mount.device)) ?? mount.source,
    fsType: mount.fsType,
    sizeBytes: (await deviceSizeBytes(mount.device)) ?? use.sizeBytes,
    usedBytes: use.usedBytes,
    provider: "none",
    state: "available",
    practice: false,
    writer: false,
  };
}
