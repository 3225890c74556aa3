/** What a volume is to be made of: an image, a block device, or what is mounted somewhere. */
import { realpath, stat } from "node:fs/promises";
import { formatBytes } from "@/server/core/text/bytes";
import { FaultError } from "../fault";
import { deviceNumber, deviceSizeBytes, loopOf, passingLoopImage } from "./block-device";
import { type Mount, readMounts } from "./mount-table";

const SMALLEST_BYTES = 1024 * 1024;

interface Source {
  backing: string;
  /** Where the backing store itself is mounted now. */
  mount: Mount | null;
}

/** The backing store behind an image, a device or a mount point; refuses what is missing, too small or in use. */
export async function resolveSource(path: string): Promise<Source> {
  const field = "source";
  const real = await realpath(path).catch(() => {
    throw new FaultError("notFound", `${path} does not exist`, { field });
  });
  const found = await stat(real);
  const mounts = await readMounts();
  if (found.isDirectory()) {
    const mount = mounts.filter((m) => m.mountPoint === real).at(-1);
    if (mount === undefined) throw new FaultError("invalid", `${path} is a directory, not a mount point`, { field });
    if (real === "/") throw new FaultError("busy", "the root file system cannot be unmounted to attach it", { field });
    if (!mount.source.startsWith("/dev/")) {
      throw new FaultError("invalid", `${path} is a ${mount.fsType} file system without a block device`, { field });
    }
    // `mount -o loop` binds a loop device that goes away with the mount: what stays is the image.
    const image = await passingLoopImage(mount.device);
    return { backing: image ?? (await realpath(mount.source)), mount };
  }
  if (found.isBlockDevice()) {
    const number = await deviceNumber(real);
    refuseSmall(path, (number === null ? null : await deviceSizeBytes(number)) ?? 0);
    return { backing: real, mount: mounts.find((m) => m.device === number) ?? null };
  }
  if (!found.isFile())
    throw new FaultError("invalid", `${path} is neither an image file nor a block device`, { field });
  refuseSmall(path, found.size);
  const loop = await loopOf(real);
  if (loop !== null) {
    const number = await deviceNumber(loop);
    const where = mounts.find((m) => m.device === number)?.mountPoint;
    const use = where === undefined ? `in use as ${loop}` : `mounted at ${where} (by ${loop})`;
    throw new FaultError("conflict", `${path} is ${use}`, { field });
  }
  return { backing: real, mount: null };
}

function refuseSmall(path: string, sizeBytes: number): void {
  if (sizeBytes >= SMALLEST_BYTES) return;
  throw new FaultError("invalid", `${path} is too small: ${formatBytes(sizeBytes)}, at least 1 MiB is needed`, {
    field: "source",
  });
}
