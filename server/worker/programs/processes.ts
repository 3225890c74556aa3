/** Reads and ends processes by /proc. A process is named by pid and start time, so a reused pid is never hit. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { pause } from "../clock";

export interface ProcessName {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot. */
  startTicks: number;
}

/** State letter, process group and start time, or null when there is no such process. */
export async function readStat(pid: number): Promise<{ state: string; group: number; startTicks: number } | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "?", group: Number(fields[2]), startTicks: Number(fields[19]) };
  } catch {
    return null;
  }
}

/** The processes that this one's first thread started, without those that are gone. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter(Boolean).map(Number);
}

/** The name of a running process, for a journal. */
export async function nameProcess(pid: number): Promise<ProcessName | null> {
  const stat = await readStat(pid);
  return stat === null ? null : { pid, startTicks: stat.startTicks };
}

export async function isAlive(name: ProcessName): Promise<boolean> {
  const stat = await readStat(name.pid);
  return stat !== null && stat.startTicks === name.startTicks && stat.state !== "Z";
}

/** TERM, then KILL after the grace. True when something had to be ended. */
export async function endProcess(name: ProcessName, how: { graceMs?: number } = {}): Promise<boolean> {
  if (!(await isAlive(name))) return false;
  signal(name.pid, "SIGTERM");
  const deadline = Date.now() + (how.graceMs ?? 2000);
  while (Date.now() < deadline) {
    if (!(await isAlive(name))) return true;
    await pause(20);
  }
  signal(name.pid, "SIGKILL");
  for (let i = 0; i < 250 && (await isAlive(name)); i += 1) await pause(20);
  return true;
}

/** The whole process group of a leader that lives, also members that outlive it. True when there was one. */
export async function endLivingGroup(leader: ProcessName): Promise<boolean> {
  if (!(await isAlive(leader))) return false;
  await endGroup(leader.pid);
  for (let i = 0; i < 250 && (await hasLive(leader.pid)); i += 1) await pause(20);
  return true;
}

/**
 * The process group of a leader that may have ended: the kernel gives its id to nobody as long as the group has members.
 * Only for a program of this worker's that is not done yet; of an old one, the group may be a stranger's by now.
 */
export async function endGroupOf(leader: ProcessName): Promise<void> {
  const now = await readStat(leader.pid);
  if (now === null || now.startTicks === leader.startTicks) await endGroup(leader.pid);
}

/** To a process, or to a group by its negative id; one that is gone already is none to tell. */
export function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch {
    // it ended by itself meanwhile
  }
}

export async function allPids(): Promise<number[]> {
  return (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
}

/** Processes whose mount namespace has this inode number. */
export async function processesInNamespace(inode: number): Promise<ProcessName[]> {
  const found: ProcessName[] = [];
  for (const pid of await allPids()) {
    const link = await readlink(`/proc/${pid}/ns/mnt`).catch(() => "");
    if (link !== `mnt:[${inode}]`) continue;
    const name = await nameProcess(pid);
    if (name !== null) found.push(name);
  }
  return found;
}

/** TERM to a process group, and KILL to what is left of it after the grace. */
export async function endGroup(leader: number, graceMs = 2000): Promise<void> {
  signal(-leader, "SIGTERM");
  const deadline = performance.now() + graceMs;
  while ((await hasLive(leader)) && performance.now() < deadline) await pause(20);
  signal(-leader, "SIGKILL");
}

/** Whether a process group has a member that is no zombie. */
async function hasLive(group: number): Promise<boolean> {
  for (const pid of await allPids()) {
    const stat = await readStat(pid);
    if (stat?.group === group && stat.state !== "Z") return true;
  }
  return false;
}

/** Ends, at once, every process that was started with this in its environment. True when there was one. */
export async function endMarked(variable: string, value: string): Promise<boolean> {
  let found = false;
  // A process may be making another one while we look.
  for (let tries = 0; tries < 50; tries += 1) {
    const marked = await processesMarked(`${variable}=${value}`);
    if (marked.length === 0) return found;
    found = true;
    for (const { pid } of marked) signal(pid, "SIGKILL");
    await pause(20);
  }
  return found;
}

async function processesMarked(mark: string): Promise<ProcessName[]> {
  const found: ProcessName[] = [];
  for (const pid of await allPids()) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (!environment.split("\0").includes(mark)) continue;
    const name = await nameProcess(pid);
    if (name !== null && (await isAlive(name))) found.push(name);
  }
  return found;
}
