/** What lies in the machine's memory file system: the shell, programs with their libraries, modules, a start. */
import { accessSync, constants } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mustRun, runProgram } from "@/server/worker/programs/run-program";
import { directory, type Entry, file, link } from "./cpio";

export const BUSYBOX = "busybox";

/** Busybox under all its names, and the directories that programs expect. */
export async function base(): Promise<Entry[]> {
  const names = (await mustRun(BUSYBOX, ["--list"])).trim().split("\n");
  return [
    ...["dev", "proc", "sys", "tmp", "run", "mnt", "root", "var/tmp"].map(directory),
    ...(await program(BUSYBOX)),
    ...names.filter((name) => name !== BUSYBOX).map((name) => link(`bin/${name}`, BUSYBOX)),
    link("sbin", "bin"),
    link("etc/mtab", "/proc/self/mounts"),
    file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    file("etc/group", "root:x:0:\n"),
    file("guest.sh", await readFile(fileURLToPath(new URL("guest.sh", import.meta.url)))),
  ];
}

/** A program, by its path or name, at /bin under its own name, with the shared libraries that it loads. */
export async function program(nameOrPath: string): Promise<Entry[]> {
  const path = nameOrPath.includes("/") ? nameOrPath : find(nameOrPath);
  if (path === null) throw new Error(`${nameOrPath} is not installed`);
  const libraries = await runProgram("ldd", [path]);
  const paths = [...libraries.stdout.matchAll(/(?:=>\s+|^\s*)(\/\S+)\s+\(0x/gm)].map((match) => match[1] ?? "");
  return [
    file(`bin/${basename(path)}`, await readFile(path), 0o755),
    ...(await Promise.all(paths.map(async (library) => file(library.slice(1), await readFile(library), 0o755)))),
  ];
}

/** Its path, also where administrators' programs lie; null if it is not installed. */
export function find(name: string): string | null {
  for (const directory of [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"]) {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return join(directory, name);
    } catch {
      // Not in this directory.
    }
  }
  return null;
}

/** The first program. Everything that `script` prints goes to the host; its exit status is the last line. */
export function init(modules: string[]): Entry {
  return file(
    "init",
    `#!/bin/sh
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs -o size=90% tmp /tmp
mount -t tmpfs run /run
mount --make-rshared /
ip link set lo up
for module in ${modules.join(" ")}; do insmod /modules/$module.ko || echo "no module $module"; done
exec </dev/null >/dev/vport0p1 2>&1
sh -ec ". /guest.sh; . /script"
status=$?
[ $status = 0 ] || sh -c ". /guest.sh; last_words"
echo "${EXIT_MARK}$status"
poweroff -f
`,
    0o755,
  );
}

/** Begins the last line of the output. */
export const EXIT_MARK = "stillframe-machine exit ";
