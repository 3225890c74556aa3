/**
 * A machine under User-Mode Linux that runs one script and is switched off: Debian's kernel as a program, with modules (device
 * mapper, FUSE, loop) that the kernel of this machine may lack.
 *
 * Its root is this machine's, read only. `/mnt` is the directory given, shared with this machine and writable: the way in
 * for programs and out for results. `/run` and `/tmp` are the machine's own memory. Disks are files, `/dev/ubda` the first.
 * At the end of the script the power goes: nothing is unmounted or written back.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const kernel = "/usr/bin/linux.uml";
const modulesDirectory = "/usr/lib/uml/modules";

/** What a machine cannot be started without, and what to install; null when all is there. */
export function missingForUml(): string | null {
  const needed = {
    [kernel]: "user-mode-linux",
    [modulesDirectory]: "user-mode-linux",
    "/usr/sbin/dmsetup": "dmsetup",
    "/usr/sbin/modprobe": "kmod",
  };
  const missing = Object.entries(needed).filter(([path]) => !existsSync(path));
  if (process.arch !== "x64") return "Debian has User-Mode Linux for x86-64 only";
  return missing.length === 0 ? null : `missing: Debian packages ${[...new Set(missing.map(([, name]) => name))]}`;
}

export interface Machine {
  /** Run by bash with -eu and pipefail. */
  script: string;
  /** Becomes `/mnt`. */
  directory: string;
  /** Image files. */
  disks: string[];
  modules: string[];
  memoryMiB: number;
  /** The machine is killed after this long. */
  timeoutMs: number;
  /** Ends it before its time. */
  interrupted?: AbortSignal;
}

export interface MachineRun {
  /** Exit status of the script; null when the machine ended before the script did. */
  exitCode: number | null;
  /** What the script printed, both streams. */
  output: string;
  /** What the kernel and everything before the script printed. */
  console: string;
}

/** Throws where it was interrupted. */
export async function runMachine(machine: Machine): Promise<MachineRun> {
  const file = (name: string) => join(machine.directory, name);
  const results = ["status", "output"].map(file);
  for (const path of results) await rm(path, { force: true });
  await writeFile(file("script"), machine.script);
  const disks = machine.disks.map((path, number) => `ubd${number}=${path}`);
  const log = await runToEnd(machine, [
    `mem=${machine.memoryMiB}M`,
    "rootfstype=hostfs",
    "rootflags=/",
    "ro",
    `init=${fileURLToPath(new URL("init", import.meta.url))}`,
    `SHARED=${machine.directory}`,
    `MODULES=${machine.modules.join(",")}`,
    `uml_dir=${machine.directory}`,
    "con0=fd:0,fd:1",
    "con=null",
    "quiet",
    ...disks,
  ]);
  machine.interrupted?.throwIfAborted();
  const read = (path: string) => (existsSync(path) ? readFile(path, "utf8") : "");
  const [status, output] = await Promise.all(results.map(read));
  return { exitCode: status ? Number(status) : null, output: output ?? "", console: log };
}

function runToEnd({ timeoutMs, interrupted }: Machine, args: string[]): Promise<string> {
  return new Promise((done, fail) => {
    // A group of its own: the machine is several processes.
    const child = spawn(kernel, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(chunk));
    const killAll = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // All of it has ended.
      }
    };
    const timer = setTimeout(killAll, timeoutMs);
    interrupted?.addEventListener("abort", killAll);
    child.once("error", fail);
    child.once("close", () => {
      clearTimeout(timer);
      interrupted?.removeEventListener("abort", killAll);
      killAll();
      done(Buffer.concat(said).toString());
    });
  });
}
