/** a00084af: selected paths that are missing from a snapshot. */
import { lstat } from "node:fs/promises";
import { inNamespace } from "../snapshots/namespace";

const ENOENT = 2;

export interface MissingPath {
  path: string;
  errno: number;
  existsLive: boolean;
}

/** Which of the paths do not exist where the frozen images are mounted (null: on the live volume). */
export async function findMissing(namespace: string | null, paths: readonly string[]): Promise<MissingPath[]> {
  if (paths.length === 0) return [];
  const missing = namespace === null ? await missingLive(paths) : await missingInNamespace(namespace, paths);
  return Promise.all(missing.map(async (path) => ({ path, errno: ENOENT, existsLive: await exists(path) })));
}

async function missingLive(paths: readonly string[]): Promise<string[]> {
  const there = await Promise.all(paths.map(exists));
  return paths.filter((_, i) => !there[i]);
}

async function missingInNamespace(namespace: string, paths: readonly string[]): Promise<string[]> {
  const script = `for p; do [ -e "$p" ] || [ -L "$p" ] || printf '%s\\0' "$p"; done`;
  const result = await inNamespace(namespace, ["/bin/sh", "-c", script, "sh", ...paths]);
  return result.stdout.split("\0").filter(Boolean);
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}
