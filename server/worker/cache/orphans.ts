/** Cache files that no process holds open. */
import type { FileHandle } from "node:fs/promises";
import { lstat, readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { allPids } from "../programs/processes";
import { cacheDirectory, inside, withCacheDirectory } from "./cache-directory";

const SUFFIX = ".cache";
/** One beside an open cache may be about to be opened. */
const YOUNG_MS = 60_000;

export interface Orphan {
  path: string;
  sizeBytes: number;
}

/** At a location; none where its directory is not ours. `beside`: whether caches are open there. */
export async function orphansAt(location: string, beside: boolean): Promise<Orphan[]> {
  return withCacheDirectory(location, async (directory) => {
    const found: Orphan[] = [];
    for (const { name, sizeBytes } of await orphansIn(directory, beside)) {
      found.push({ path: join(cacheDirectory(location), name), sizeBytes });
    }
    return found;
  }).catch(() => []);
}

/** Removes them; says which. */
export async function removeOrphansAt(location: string, beside: boolean): Promise<Orphan[]> {
  return withCacheDirectory(location, async (directory) => {
    const removed: Orphan[] = [];
    for (const { name, sizeBytes } of await orphansIn(directory, beside)) {
      await rm(inside(directory, name), { force: true });
      removed.push({ path: join(cacheDirectory(location), name), sizeBytes });
    }
    return removed;
  }).catch(() => []);
}

async function orphansIn(directory: FileHandle, beside: boolean): Promise<{ name: string; sizeBytes: number }[]> {
  const names = (await readdir(inside(directory))).filter((name) => name.endsWith(SUFFIX));
  if (names.length === 0) return [];
  const held = await heldIn(directory);
  const found: { name: string; sizeBytes: number }[] = [];
  for (const name of names) {
    const file = await lstat(inside(directory, name)).catch(() => null);
    const young = file !== null && beside && Date.now() - file.mtimeMs < YOUNG_MS;
    if (file?.isFile() && !held.has(name) && !young) found.push({ name, sizeBytes: file.blocks * 512 });
  }
  return found;
}

/** Names in the directory that processes hold open. */
async function heldIn(directory: FileHandle): Promise<Set<string>> {
  const real = await readlink(inside(directory));
  const found = new Set<string>();
  for (const pid of await allPids()) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [] as string[])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      if (target.startsWith(`${real}/`)) found.add(target.slice(real.length + 1));
    }
  }
  return found;
}
