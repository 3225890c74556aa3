/**
 * The private directory `stillframe-cache` at a location. Others may be allowed to write to the location itself, and
 * could put a link or a directory of their own there: what the worker does in it as root is done through a descriptor
 * of a real directory that is its own, so nothing can be exchanged meanwhile.
 */
import { constants } from "node:fs";
import { access, type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoName, FaultError, messageOf } from "../fault";

const DIRECTORY = "stillframe-cache";

/** Where the engines keep their files at a location. */
export function cacheDirectory(location: string): string {
  return join(location, DIRECTORY);
}

/** The location that a cache directory belongs to. */
export function locationOf(directory: string): string {
  return directory.endsWith(`/${DIRECTORY}`) ? dirname(directory) : directory;
}

/** Throws where it is missing, or no real directory of this user. */
export async function withCacheDirectory<T>(location: string, work: (directory: FileHandle) => Promise<T>): Promise<T> {
  const path = cacheDirectory(location);
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const directory = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch((cause: unknown) => {
    const name = errnoName(cause);
    if (name !== "ELOOP" && name !== "ENOTDIR") throw cause;
    throw new FaultError("invalid", `${path} is a link or no directory`, { cause });
  });
  try {
    const { uid } = await directory.stat();
    if (uid !== process.getuid?.()) throw new FaultError("invalid", `${path} belongs to another user`);
    return await work(directory);
  } finally {
    await directory.close();
  }
}

/** A path that leads into the opened directory, whatever lies at its name by now. */
export function inside(directory: FileHandle, name = ""): string {
  return join(`/proc/self/fd/${directory.fd}`, name);
}

/** For this user alone. */
export async function keepPrivate(location: string): Promise<void> {
  await withCacheDirectory(location, (directory) => directory.chmod(0o700));
}

/** Why no cache can be kept at a location, or null; makes the directory where it is missing. */
export async function whyNotWritable(location: string): Promise<string | null> {
  try {
    await access(location, constants.W_OK | constants.X_OK);
    await mkdir(cacheDirectory(location), { mode: 0o700 }).catch((error: unknown) => {
      if (errnoName(error) !== "EEXIST") throw error;
    });
    await withCacheDirectory(location, async () => {});
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
