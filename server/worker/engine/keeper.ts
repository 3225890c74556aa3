/**
 * The process that keeps a volume's engine. It has `keeper.pid` in the volume's run directory open, and locked, for as
 * long as it lives. The number alone proves nothing: the kernel gives the ids of the dead to others.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../clock";

/** A keeper that begins empties the file before it writes its id. */
const WRITTEN_WITHIN_MS = 500;
const LOOK_AGAIN_MS = 20;

/** Its process id, or null where none lives. */
export async function livingKeeper(runDirectory: string): Promise<number | null> {
  const file = join(runDirectory, "keeper.pid");
  for (let waited = 0; waited <= WRITTEN_WITHIN_MS; waited += LOOK_AGAIN_MS) {
    const text = await readFile(file, "utf8").catch(() => null);
    if (text === null) return null;
    const pid = Number(text);
    if (pid > 0) return (await hasOpen(pid, file)) ? pid : null;
    await pause(LOOK_AGAIN_MS);
  }
  return null;
}

async function hasOpen(pid: number, path: string): Promise<boolean> {
  const file = await stat(path).catch(() => null);
  if (file === null) return false;
  const descriptors = `/proc/${pid}/fd`;
  for (const name of await readdir(descriptors).catch(() => [] as string[])) {
    const open = await stat(join(descriptors, name)).catch(() => null);
    if (open?.ino === file.ino && open.dev === file.dev) return true;
  }
  return false;
}
