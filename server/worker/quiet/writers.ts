/** Who writes to a volume, or can: evidence for a quiet window that was not had. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { isWithin } from "@/server/core/planning/selection";
import { allPids } from "../programs/processes";
import { commandOf } from "../volumes/mounting";
import type { WritingProcess } from "./path-watch";

export interface Writer {
  pid: number;
  command: string;
  /** Changes that were seen, at least so many. Null: it only has files open for writing, and may write unseen. */
  writes: number | null;
  /** Most often changed first. */
  paths: string[];
}

const ACCESS_MODE = 0o3;
const READ_ONLY = 0;
const MOST_PROCESSES = 20;
const MOST_PATHS = 20;

/** Processes that can write to files below any of these mount points. */
export async function findWriters(mounts: readonly string[]): Promise<Writer[]> {
  const writers: Writer[] = [];
  for (const pid of await allPids()) {
    const paths = new Set<string>();
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [] as string[])) {
      const path = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      if (!mounts.some((m) => isWithin(path, m))) continue;
      if (await isOpenForWriting(pid, fd)) paths.add(path);
    }
    if (paths.size > 0) writers.push({ pid, command: await commandOf(pid), writes: null, paths: [...paths] });
  }
  return writers;
}

async function isOpenForWriting(pid: number, fd: string): Promise<boolean> {
  const info = await readFile(`/proc/${pid}/fdinfo/${fd}`, "utf8").catch(() => "");
  const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? "0", 8);
  return (flags & ACCESS_MODE) !== READ_ONLY;
}

/** Those who were seen to write first, then those who only can. `isIgnored`: of paths that nobody is to be named for. */
export function mergeWriters(
  seen: readonly WritingProcess[],
  open: readonly Writer[],
  isIgnored: (path: string) => boolean,
): Writer[] {
  const writers = new Map<number, Writer>();
  for (const { pid, command, changes, paths } of seen) {
    writers.set(pid, { pid, command, writes: changes, paths: paths.map(([path]) => path) });
  }
  for (const writer of open) {
    const paths = writer.paths.filter((path) => !isIgnored(path));
    const known = writers.get(writer.pid);
    if (known !== undefined) known.paths = [...new Set([...known.paths, ...paths])];
    else if (paths.length > 0) writers.set(writer.pid, { ...writer, paths });
  }
  return [...writers.values()]
    .sort((a, b) => (b.writes ?? -1) - (a.writes ?? -1))
    .slice(0, MOST_PROCESSES)
    .map((writer) => ({ ...writer, paths: writer.paths.slice(0, MOST_PATHS) }));
}
