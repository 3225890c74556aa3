/** Cache files that no process holds open and no engine needs. */
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

/** What else is known of the caches at a location. */
export interface Needs {
  /** Whether caches are open there. */
  beside: boolean;
  /** Whether the volume with this id may need the cache that it has in the directory. */
  mayNeed: (volumeId: string, directory: string) => Promise<boolean>;
}

/** At a location; none where its directory is not ours. */
export async function orphansAt(location: string, needs: Needs): Promise<Orphan[]> {
  return withCacheDirectory(location, async (directory) => {
    const found = await orphansIn(directory, needs);
    return found.map(({ name, sizeBytes }) => ({ path: join(cacheDirectory(location), name), sizeBytes }));
  }).catch(() => []);
}

/** Removes them; says which. */
export async function removeOrphansAt(location: string, needs: Needs): Promise<Orphan[]> {
  return withCacheDirectory(location, async (directory) => {
    const removed: Orphan[] = [];
    for (const { name, sizeBytes } of await orphansIn(directory, needs)) {
      await rm(inside(directory, name), { force: true });
      removed.push({ path: join(cacheDirectory(location), name), sizeBytes });
    }
    return removed;
  }).catch(() => []);
}

/**
 * Between an engine's death and its successor's take-over nobody holds its cache. So the volume is asked too, and after
 * the look at who holds what: what an engine has begun by then it tells.
 */
async function orphansIn(
  directory: FileHandle,
  { beside, mayNeed }: Needs,
): Promise<{ name: string; sizeBytes: number }[]> {
  const names = (await readdir(inside(directory))).filter((name) => name.endsWith(SUFFIX));
  if (names.length === 0) return [];
  const held = await heldIn(directory);
  const real = await readlink(inside(directory));
  const found: { name: string; sizeBytes: number }[] = [];
  for (const name of names) {
    const file = await lstat(inside(directory, name)).catch(() => null);
    const young = file !== null && beside && Date.now() - file.mtimeMs < YOUNG_MS;
    if (!file?.isFile() || held.has(name) || young) continue;
    if (await mayNeed(name.slice(0, -SUFFIX.length), real)) continue;
    found.push({ name, sizeBytes: file.blocks * 512 });
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
