/** Who keeps a device mounted in another mount namespace than this one, where no unmounting here reaches it. */
import { readFile, readlink } from "node:fs/promises";
import { allPids } from "../programs/processes";
import { deviceNumber } from "./block-device";
import { parseMountInfo } from "./mount-table";
import { commandOf } from "./mounting";

/** One process of each such namespace, in words. A namespace that only a file keeps, and no process, is not seen. */
export async function foreignHolders(device: string): Promise<string[]> {
  const number = await deviceNumber(device);
  const seen = new Set([await readlink("/proc/self/ns/mnt")]);
  const holders: string[] = [];
  for (const pid of await allPids()) {
    const namespace = await readlink(`/proc/${pid}/ns/mnt`).catch(() => null);
    if (namespace === null || seen.has(namespace)) continue;
    const text = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "");
    if (text === "") continue; // it ended meanwhile: another of its namespace may tell
    seen.add(namespace);
    if (parseMountInfo(text).some((mount) => mount.device === number)) holders.push(`${await commandOf(pid)} (${pid})`);
  }
  return holders;
}
