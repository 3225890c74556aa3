/** What the kernel tells about block devices and the images behind loop devices. */
import { constants, open, readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { UBLK_DEVICES } from "@/server/core/contracts/ublk-devices";
import { pause } from "../clock";
import { errnoName } from "../fault";
import { runProgram } from "../programs/run-program";

/** `major:minor` of a block device, or null when the path is none. */
export async function deviceNumber(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isBlockDevice()) return null;
  return deviceName(found.rdev);
}

/** `major:minor` of a device number as `stat` tells it. */
export function deviceName(dev: number): string {
  const major = (dev >> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
  return `${major}:${minor}`;
}

/** Size by /sys, or null when there is no such device. */
export async function deviceSizeBytes(number: string): Promise<number | null> {
  const sectors = await readFile(`/sys/dev/block/${number}/size`, "utf8").catch(() => null);
  return sectors === null ? null : Number(sectors.trim()) * 512;
}

/** The file behind a loop device, or null. A ublk device of an engine counts as one over its volume's live file. */
export async function loopBackingFile(number: string): Promise<string | null> {
  const sys = `/sys/dev/block/${number}`;
  const path = await realpath(sys).catch(() => sys);
  const told = [`${sys}/loop/backing_file`, join(UBLK_DEVICES, basename(path))];
  for (const file of told) {
    const text = await readFile(file, "utf8").catch(() => null);
    if (text !== null) return text.trimEnd();
  }
  return null;
}

/** A live device that outlives its keeper and its engines, waiting. */
export function isUblk(device: string): boolean {
  return basename(device).startsWith("ublkb");
}

/** The whole image behind a loop device that is released with its mount; null for any other device. */
export async function passingLoopImage(number: string): Promise<string | null> {
  const read = async (name: string) =>
    (await readFile(`/sys/dev/block/${number}/loop/${name}`, "utf8").catch(() => "")).trim();
  const isWhole = (await read("offset")) === "0" && (await read("sizelimit")) === "0";
  return (await read("autoclear")) === "1" && isWhole ? loopBackingFile(number) : null;
}

/** The loop device that an image is bound to, or null. */
export async function loopOf(image: string): Promise<string | null> {
  const names = (await readdir("/sys/block").catch(() => [])).filter((n) => n.startsWith("loop"));
  for (const name of names) {
    const file = await readFile(`/sys/block/${name}/loop/backing_file`, "utf8").catch(() => null);
    if (file?.trimEnd() === image) return `/dev/${name}`;
  }
  return null;
}

/** Whether a file system keeps the device mounted, in whatever mount namespace; a moment is granted to one that ends. */
export async function isHeld(device: string): Promise<boolean> {
  for (let tries = 0; tries < 50; tries += 1) {
    if (!(await isClaimed(device))) return false;
    await pause(100);
  }
  return true;
}

async function isClaimed(device: string): Promise<boolean> {
  try {
    await (await open(device, constants.O_RDONLY | constants.O_EXCL)).close();
    return false;
  } catch (error) {
    return errnoName(error) === "EBUSY";
  }
}

/** Bytes that were read from a device since it was made. */
export async function deviceReadBytes(device: string): Promise<number> {
  const line = await readFile(`/sys/block/${basename(device)}/stat`, "utf8").catch(() => "");
  return Number(line.trim().split(/\s+/)[2] ?? 0) * 512;
}

/** Type of the file system on a device or in an image, by its superblock; null when there is none that blkid knows. */
export function fileSystemType(path: string): Promise<string | null> {
  return superblockValue(path, "TYPE");
}

/**
 * The sector size of a live device: 4096, unless the file system counts in smaller units (an ext4 with blocks of
 * 1 KiB, an xfs with sectors of 512) and would not mount then.
 */
export async function sectorSizeFor(path: string): Promise<512 | 4096> {
  const unit = await superblockValue(path, "BLOCK_SIZE");
  return unit !== null && Number(unit) < 4096 ? 512 : 4096;
}

async function superblockValue(path: string, tag: string): Promise<string | null> {
  const result = await runProgram("blkid", ["-p", "-o", "value", "-s", tag, path]);
  const value = result.stdout.trim();
  return result.exitCode === 0 && value !== "" ? value : null;
}
