/** Who has files open for writing on a volume: evidence for a quiet window that was not had. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { isWithin } from "@/server/core/planning/selection";
import { allPids } from "../programs/processes";
import { commandOf } from "../volumes/mounting";

export interface Writer {
  pid: number;
  command: string;
  paths: string[];
}

const ACCESS_MODE = 0o3;
const READ_ONLY = 0;
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
    if (paths.size > 0) writers.push({ pid, command: await commandOf(pid), paths: [...paths].slice(0, MOST_PATHS) });
  }
  return writers;
}

async function isOpenForWriting(pid: number, fd: string): Promise<boolean> {
  const info = await readFile(`/proc/${pid}/fdinfo/${fd}`, "utf8").catch(() => "");
  const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? "0", 8);
  return (flags & ACCESS_MODE) !== READ_ONLY;
}
