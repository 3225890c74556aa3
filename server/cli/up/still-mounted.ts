/** What the worker could not detach when it stopped: somebody uses it. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { UBLK_DEVICES } from "@/server/core/contracts/ublk-devices";

export interface StillMounted {
  mount: string;
  /** A process of each other mount namespace that has it too, such as a container's: `nginx (1234)`. */
  elsewhere: string[];
}

/** Mount points whose device is served by an engine of this run directory. */
export function stillMounted(run: string): StillMounted[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [device = "", mount = ""] = line.split(" ");
      const name = /^\/dev\/(loop\d+|ublkb\d+)$/.exec(device)?.[1];
      if (!name || !servedFile(name).startsWith(`${run}/`)) return [];
      return [{ mount: unescapeMount(mount), elsewhere: mountedElsewhere(device) }];
    });
}

function mountedElsewhere(device: string): string[] {
  const seen = new Set([readlinkSync("/proc/self/ns/mnt")]);
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      if (seen.has(namespace)) return [];
      const has = readFileSync(`/proc/${pid}/mounts`, "utf8").includes(`${device} `);
      seen.add(namespace);
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean).join(" ").slice(0, 200);
      return has ? [`${command} (${pid})`] : [];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

/** What a loop device is over; a ublk device of an engine counts as one over its volume's live file. Empty: neither. */
function servedFile(device: string): string {
  const told = device.startsWith("loop") ? `/sys/block/${device}/loop/backing_file` : join(UBLK_DEVICES, device);
  try {
    return readFileSync(told, "utf8");
  } catch {
    return "";
  }
}

/** The kernel writes a space in a path as `\040`. */
function unescapeMount(mount: string): string {
  return mount.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
