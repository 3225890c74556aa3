/** What can be seen, without its help, of a worker on the console's own machine: for the evidence of OFO-COMM. */
import { open, readdir, readFile, readlink, stat } from "node:fs/promises";
import { connect } from "node:net";
import type { EvidenceFor } from "@/server/core/errors/evidence";
import { fault } from "../fault-error";

export type LocalPlaces = { workerSocket: string; workerLog: string };
type Facts = Pick<EvidenceFor<"OFO-COMM">, "processState" | "logLines" | "socket">;

const LOG_TAIL_BYTES = 8 * 1024;
const LOG_TAIL_LINES = 40;
const CONNECT_MS = 1_000;

export async function localWorkerFacts({ workerSocket, workerLog }: LocalPlaces): Promise<Facts> {
  const [processState, logLines, mode] = await Promise.all([
    stateBehind(workerSocket),
    lastLines(workerLog),
    modeOf(workerSocket),
  ]);
  return { processState, logLines, socket: { path: workerSocket, mode, exists: mode !== null } };
}

/** Kills a worker that hangs. One that is absent is left to its supervisor. */
export async function endLocalWorker({ workerSocket }: LocalPlaces): Promise<void> {
  const server = await serverOf(workerSocket);
  if (server === null) return;
  try {
    process.kill(server.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return;
    throw fault("denied", "The console may not end the worker on its machine. Restart the worker's service there.");
  }
}

/** State of the process behind a socket; `absent` when nobody takes connections; null when it cannot be told. */
async function stateBehind(path: string): Promise<string | null> {
  const served = await isServed(path);
  return served === true ? ((await serverOf(path))?.state ?? "running") : served === false ? "absent" : null;
}

/** A socket that takes connections has a living process behind it, even one that hangs; null: it cannot be told. */
function isServed(path: string): Promise<boolean | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (served: boolean | null) => {
      socket.destroy();
      resolve(served);
    };
    socket.setTimeout(CONNECT_MS, () => done(null));
    socket.on("connect", () => done(true));
    socket.on("error", ({ code }: NodeJS.ErrnoException) =>
      done(code === "ECONNREFUSED" || code === "ENOENT" ? false : null),
    );
  });
}

/** Letters of `/proc/PID/stat`, proc(5). */
const states: Record<string, string> = {
  R: "running",
  S: "sleeping",
  D: "waiting for a device",
  T: "stopped by a signal",
  t: "stopped by a debugger",
  Z: "zombie",
};

/** What the kernel says of the process that has the socket open; null when it is not found. */
async function serverOf(path: string): Promise<{ pid: number; state: string | null } | null> {
  try {
    const sockets = (await readFile("/proc/net/unix", "utf8")).split("\n");
    // Connections that it took bear the path too; only the socket that listens has this flag (__SO_ACCEPTCON).
    const listening = sockets.map((line) => line.split(/\s+/)).find((f) => f[3] === "00010000" && f[7] === path);
    const inode = listening?.[6];
    if (inode === undefined) return null;
    for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
      const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
      const open = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
      if (!open.includes(`socket:[${inode}]`)) continue;
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      return { pid: Number(pid), state: states[stat.slice(stat.lastIndexOf(")") + 2).charAt(0)] ?? null };
    }
    return null;
  } catch {
    return null;
  }
}

/** Permission bits in octal; null when there is no such file. */
async function modeOf(path: string): Promise<string | null> {
  try {
    return ((await stat(path)).mode & 0o7777).toString(8).padStart(4, "0");
  } catch {
    return null;
  }
}

/** The end of a log; nothing when it cannot be read. */
async function lastLines(path: string): Promise<string[]> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const tail = Buffer.alloc(Math.min(size, LOG_TAIL_BYTES));
      const { bytesRead } = await file.read(tail, 0, tail.length, size - tail.length);
      const lines = tail.toString("utf8", 0, bytesRead).split("\n");
      // The first is the end of a line that began before.
      return lines
        .slice(size > tail.length ? 1 : 0)
        .filter(Boolean)
        .slice(-LOG_TAIL_LINES)
        .map(readable);
    } finally {
      await file.close();
    }
  } catch {
    return [];
  }
}

const levels: Record<number, string> = { 10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal" };

/** A line of the worker's JSON log as a person reads it; any other line as it is. */
function readable(line: string): string {
  try {
    const { time, level, msg, volume, run, err } = JSON.parse(line);
    const about = [volume, run, err?.message].filter((part) => typeof part === "string").join(", ");
    return `${time} ${levels[level] ?? level} ${msg}${about && ` (${about})`}`;
  } catch {
    return line;
  }
}
