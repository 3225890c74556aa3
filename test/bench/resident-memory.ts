/** What a process has in memory. */
import { readFile } from "node:fs/promises";

/** Resident bytes of a process: anonymous and shared memory together. Counted page by page: `VmRSS` may be some hundred KiB off. */
export async function residentBytes(pid: number): Promise<number> {
  const sums = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const kib = /^Rss:\s+(\d+) kB/m.exec(sums)?.[1];
  if (kib === undefined) throw new Error(`process ${pid} tells no Rss`);
  return Number(kib) * 1024;
}
