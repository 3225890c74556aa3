/** QEMU's storage daemon on the same backing file: what else exports a live image from user space with copy-before-write. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { pause } from "../fixtures/native-program";
import type { Place } from "./subjects";

const PROGRAM = "qemu-storage-daemon";

/** The first line of `--version`. Throws what to install where it is missing. */
export async function peerVersion(): Promise<string> {
  try {
    return (await mustRun(PROGRAM, ["--version"])).split("\n")[0] ?? "";
  } catch (error) {
    throw new Error(`${PROGRAM} cannot be run: apt-get install qemu-system-common`, { cause: error });
  }
}

export interface PeerExports {
  /** The live image as a file. */
  live: string;
  /** The frozen image as a file; there without a snapshot too, but empty. */
  frozen: string;
  /** Address of the live image over NBD. */
  uri: string;
  /** The frozen image over NBD. */
  frozenUri: string;
  /** Bytes that its pre-images take on disk. */
  cacheBytes(): Promise<number>;
  pid: number;
}

export interface PeerChoice {
  /** With a copy-before-write filter, its frozen image and a sparse file for pre-images. */
  snapshot: boolean;
  over: "fuse" | "nbd";
  /** FUSE hands it one request at a time: this version corrupts data otherwise. */
  oneAtATime: boolean;
  /** Past the page cache and by io_uring, instead of its defaults. */
  tuned?: true;
}

/** Runs it around `use`; nothing of it is left afterwards. */
export async function withPeer(
  place: Place,
  choice: PeerChoice,
  use: (exports: PeerExports) => Promise<void>,
): Promise<void> {
  const directory = join(place.directory, "peer");
  await mkdir(directory);
  const file = (name: string) => join(directory, name);
  for (const name of ["live", "frozen", "target"]) await writeFile(file(name), "");
  await truncate(file("target"), place.bytes);
  const daemon = spawn(PROGRAM, argumentsFor(place, choice, file), { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [daemon.stdout, daemon.stderr]) stream.on("data", (text) => (said += text));
  try {
    await untilReady(daemon, file("pid"), () => said);
    if (choice.over === "fuse" && choice.oneAtATime) {
      for (const name of choice.snapshot ? ["live", "frozen"] : ["live"]) await oneRequestAtATime(file(name));
    }
    await use({
      live: file("live"),
      frozen: file("frozen"),
      uri: `nbd+unix:///live?socket=${file("socket")}`,
      frozenUri: `nbd+unix:///frozen?socket=${file("socket")}`,
      cacheBytes: async () => (await stat(file("target"))).blocks * 512,
      pid: daemon.pid ?? -1,
    });
  } finally {
    await end(daemon);
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * SHA-256 of its frozen image, read past the page cache with one request at a time: what the kernel's readahead gets from it
 * while the live image was written to is wrong, whatever the setting of the connection.
 */
export async function hashOfPeerImage(image: string): Promise<string> {
  const script = 'dd if="$1" bs=64k iflag=direct status=none | sha256sum';
  return (await mustRun("bash", ["-c", `set -o pipefail; ${script}`, "hash", image])).split(" ")[0] ?? "";
}

function argumentsFor(place: Place, { snapshot, over, tuned }: PeerChoice, file: (name: string) => string): string[] {
  const node = (options: string) => ["--blockdev", options];
  const how = tuned ? ",cache.direct=on,aio=io_uring" : "";
  const nodes = snapshot
    ? [
        ...node(`driver=file,node-name=file,filename=${place.backing}${how}`),
        ...node(`driver=file,node-name=target,filename=${file("target")}${how}`),
        ...node("driver=copy-before-write,node-name=live,file=file,target=target"),
        ...node("driver=snapshot-access,node-name=frozen,file=live"),
      ]
    : node(`driver=file,node-name=live,filename=${place.backing}${how}`);
  const names = snapshot ? ["live", "frozen"] : ["live"];
  const exported = (name: string) => {
    const writable = name === "live" ? "on" : "off";
    const how = over === "nbd" ? `type=nbd,name=${name}` : `type=fuse,mountpoint=${file(name)}`;
    return ["--export", `${how},id=${name},node-name=${name},writable=${writable}`];
  };
  const server = over === "nbd" ? ["--nbd-server", `addr.type=unix,addr.path=${file("socket")}`] : [];
  return [...nodes, ...server, ...names.flatMap(exported), "--pidfile", file("pid")];
}

/** It writes its process id once everything is exported. */
async function untilReady(daemon: ChildProcess, pidFile: string, said: () => string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (existsSync(pidFile)) return;
    if (daemon.exitCode !== null) break;
    await pause(20);
  }
  throw new Error(`${PROGRAM} did not start: ${said()}`);
}

/** `/sys/fs/fuse/connections/N`, where N is the minor number of the file's device. */
async function oneRequestAtATime(file: string): Promise<void> {
  const { dev } = await stat(file);
  const minor = (dev & 0xff) | ((dev >> 12) & ~0xff);
  const setting = await open(`/sys/fs/fuse/connections/${minor}/max_background`, "w");
  try {
    await setting.write("1");
  } finally {
    await setting.close();
  }
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const closed = new Promise((done) => daemon.once("close", done));
  daemon.kill("SIGTERM");
  await closed;
}
