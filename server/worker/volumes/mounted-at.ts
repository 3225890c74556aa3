/** Where a device's file system is mounted now, by the kernel: people mount, move and cover volumes by hand. */
import { FaultError } from "../fault";
import { deviceNumber } from "./block-device";
import type { AttachedVolume } from "./known-volumes";
import { type Mount, readMounts } from "./mount-table";

export interface MountedAt {
  /** Where a path leads to the root of the file system, oldest first; empty where only parts of it are bound. */
  points: string[];
  /** Where a part of it is bound, by the part's path within it. */
  parts: { root: string; point: string }[];
  /** Any place at which it can be frozen. */
  freezeAt: string;
  fsType: string;
}

/** Null where it is not mounted. Throws where every mount of it lies beneath another one. */
export async function mountedAt(device: string): Promise<MountedAt | null> {
  const mounts = await readMounts();
  const own = mountsOf(mounts, device, await deviceNumber(device));
  if (own[0] === undefined) return null;
  const open = own.filter((mount) => isOnTop(mounts, mount));
  const points = open.filter(isWhole).map((mount) => mount.mountPoint);
  const parts = open.filter((m) => !isWhole(m)).map(({ root, mountPoint }) => ({ root, point: mountPoint }));
  const freezeAt = points[0] ?? open[0]?.mountPoint;
  if (freezeAt === undefined) {
    const where = own[0].mountPoint;
    throw new FaultError("conflict", `${device} is mounted at ${where}, where it lies beneath another file system`);
  }
  return { points, parts, freezeAt, fsType: own[0].fsType };
}

/** The first mount of a device that leads to the root of its file system. */
export function firstWhole(mounts: readonly Mount[], device: string, number: string | null): Mount | null {
  return mountsOf(mounts, device, number).find((mount) => isWhole(mount) && isOnTop(mounts, mount)) ?? null;
}

/** Of the volumes that are mounted, where. */
export async function openMounts(
  volumes: readonly AttachedVolume[],
): Promise<{ name: string; mount: string; device: string }[]> {
  const mounts = await readMounts();
  const found: { name: string; mount: string; device: string }[] = [];
  for (const { record, device } of volumes) {
    const mount = firstWhole(mounts, device, await deviceNumber(device))?.mountPoint;
    if (mount !== undefined) found.push({ name: record.name, mount, device });
  }
  return found;
}

/** A file system with a number of its own (btrfs) is told by the device that it is mounted from. */
function mountsOf(mounts: readonly Mount[], device: string, number: string | null): Mount[] {
  return mounts.filter((m) => m.device === number || (m.device.startsWith("0:") && m.source === device));
}

function isWhole(mount: Mount): boolean {
  return mount.root === "/";
}

function isOnTop(mounts: readonly Mount[], mount: Mount): boolean {
  return mounts.findLast((other) => other.mountPoint === mount.mountPoint) === mount;
}
