/** The kernel's mount table, `/proc/self/mountinfo`. */
import { readFile } from "node:fs/promises";

export interface Mount {
  /** Device as `major:minor`. */
  device: string;
  /** What of the file system is mounted; `/` unless it is a bind mount. */
  root: string;
  mountPoint: string;
  options: string[];
  fsType: string;
  source: string;
}

/** `\040` back to a space: the kernel escapes space, tab, newline and backslash, nothing else. */
function plainText(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Parses the text of a mountinfo file, oldest mount first. */
export function parseMountInfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const [left, right] = line.split(" - ");
    if (left === undefined || right === undefined) continue;
    const [, , device = "", root = "", mountPoint = "", options = ""] = left.split(" ");
    const [fsType = "", source = ""] = right.split(" ");
    mounts.push({
      device,
      root: plainText(root),
      mountPoint: plainText(mountPoint),
      options: options.split(","),
      fsType,
      source: plainText(source),
    });
  }
  return mounts;
}

export async function readMounts(): Promise<Mount[]> {
  return parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
}

/** The mount that a path lies on: the longest mount point above it, the newest of equals. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | null {
  let best: Mount | null = null;
  for (const mount of mounts) {
    const point = mount.mountPoint;
    const holds = point === "/" || path === point || path.startsWith(`${point}/`);
    if (holds && (best === null || point.length >= best.mountPoint.length)) best = mount;
  }
  return best;
}
