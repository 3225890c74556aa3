/** Mounting and unmounting in the host's own namespace, with refusals that say who is in the way. */
import { mkdir, readdir, readFile, readlink } from "node:fs/promises";
import { isWithin } from "@/server/core/planning/selection";
import { FaultError } from "../fault";
import { allPids } from "../programs/processes";
import { runProgram } from "../programs/run-program";

/** Mounts a device; makes the directory when absent. */
export async function mountDevice(
  device: string,
  target: string,
  fsType: string | null,
  options: string[] = [],
): Promise<void> {
  await mkdir(target, { recursive: true });
  const type = fsType === null ? [] : ["-t", fsType];
  const flags = options.length === 0 ? [] : ["-o", options.join(",")];
  const result = await runProgram("mount", ["-n", ...type, ...flags, device, target]);
  if (result.exitCode !== 0) {
    throw new FaultError("failed", `${device} cannot be mounted at ${target}: ${result.stderr.trim()}`);
  }
}

/** Unmounts, and says which processes use the file system when it is busy. Default of `timeoutMs`: 60 s. */
export async function unmount(target: string, timeoutMs?: number): Promise<void> {
  const result = await runProgram("umount", ["-n", target], { timeoutMs });
  if (result.exitCode === 0 || /not mounted|no mount point/i.test(result.stderr)) return;
  if (result.signal !== null) throw new FaultError("busy", `${target} cannot be unmounted: its device does not answer`);
  const users = (await processesUsing(target)).slice(0, 5).map((p) => `${p.command} (${p.pid})`);
  const who = users.length > 0 ? `in use by ${users.join(", ")}` : result.stderr.trim();
  throw new FaultError("busy", `${target} cannot be unmounted: ${who}`);
}

/** Options that a frozen image of this file system needs to mount without a write. */
export function frozenOptions(fsType: string | null): string[] {
  if (fsType === "ext4" || fsType === "ext3") return ["ro", "noload"];
  if (fsType === "xfs") return ["ro", "norecovery", "nouuid"];
  return ["ro"];
}

/** Processes with a working directory or an open file below a path. */
async function processesUsing(path: string): Promise<{ pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = [];
  for (const pid of await allPids()) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [] as string[]);
    for (const link of ["cwd", "root", ...descriptors.map((d) => `fd/${d}`)]) {
      const target = await readlink(`/proc/${pid}/${link}`).catch(() => "");
      if (target === "" || !isWithin(target, path)) continue;
      found.push({ pid, command: await commandOf(pid) });
      break;
    }
  }
  return found;
}

/** What a person would call the process. */
export async function commandOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return line.split("\0").filter(Boolean).join(" ").slice(0, 200) || "unknown";
}
