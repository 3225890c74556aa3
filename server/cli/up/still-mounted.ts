/** What the worker could not detach when it stopped: somebody uses it. */
import { readFileSync } from "node:fs";

/** Mount points whose device is served by an engine of this run directory. */
export function stillMounted(run: string): string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [device = "", mount = ""] = line.split(" ");
      const loop = /^\/dev\/(loop\d+)$/.exec(device)?.[1];
      return loop && backingFile(loop).startsWith(`${run}/`) ? [unescapeMount(mount)] : [];
    });
}

function backingFile(loop: string): string {
  try {
    return readFileSync(`/sys/block/${loop}/loop/backing_file`, "utf8");
  } catch {
    return "";
  }
}

/** The kernel writes a space in a path as `\040`. */
function unescapeMount(mount: string): string {
  return mount.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
