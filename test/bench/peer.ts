/** QEMU's storage daemon on the same backing file: what else exports a live image from user space with copy-before-write. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { pause } from "../fixtures/native-program";
import { type PeerProgram, PROGRAM } from "./peer-program";
import type { Place } from "./subjects";

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
  /** FUSE hands it one request at a time: some versions corrupt data otherwise. */
  oneAtATime?: true;
  /** Past the page cache, by the kernel's asynchronous I/O, and with two threads for a FUSE export, instead of its defaults. */
  tuned?: true;
}

/** Runs it around `use`; nothing of it is left afterwards. */
export async function withPeer(
  { program, before, threads }: PeerProgram,
  place: Place,
  choice: PeerChoice,
  use: (exports: PeerExports) => Promise<void>,
): Promise<void> {
  const directory = join(place.directory, "peer");
  await mkdir(directory);
  const file = (name: string) => join(directory, name);
  const inThreads = threads && choice.tuned === true && choice.over === "fuse";
  for (const name of ["live", "frozen", "target"]) await writeFile(file(name), "");
  await truncate(file("target"), place.bytes);
  const daemon = spawn(program, [...before, ...argumentsFor(place, choice, inThreads, file)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
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
 * SHA-256 of its frozen image, read past the page cache with one request at a time: what the kernel's readahead gets from a
 * version that corrupts, while the live image was written to, is wrong, whatever the setting of the connection.
 */
export function hashOfPeerImage(image: string): Promise<string> {
  return hashOfOutput('dd if="$1" bs=64k iflag=direct status=none', image);
}

/** SHA-256 of what it serves over NBD, read by a client that has many requests in flight. */
export function hashOverNbd(uri: string): Promise<string> {
  return hashOfOutput('nbdcopy "$1" -', uri);
}

async function hashOfOutput(command: string, what: string): Promise<string> {
  const script = `set -o pipefail; ${command} | sha256sum`;
  return (await mustRun("bash", ["-c", script, "hash", what])).split(" ")[0] ?? "";
}

function argumentsFor(
  place: Place,
  { snapshot, over, tuned }: PeerChoice,
  inThreads: boolean,
  file: (name: string) => string,
): string[] {
  const node = (options: string) => ["--blockdev", options];
  const how = tuned ? ",cache.direct=on,aio=native" : "";
  const nodes = snapshot
    ? [
        ...node(`driver=file,node-name=file,filename=${place.backing}${how}`),
        ...node(`driver=file,node-name=target,filename=${file("target")}${how}`),
        ...node("driver=copy-before-write,node-name=live,file=file,target=target"),
        ...node("driver=snapshot-access,node-name=frozen,file=live"),
      ]
    : node(`driver=file,node-name=live,filename=${place.backing}${how}`);
  const names = snapshot ? ["live", "frozen"] : ["live"];
  // They sleep while there is nothing to do: on two processors, threads that poll take what the load and the loop device need.
  const threads = inThreads ? ["t0", "t1"] : [];
  const threadObjects = threads.flatMap((id) => ["--object", `iothread,id=${id},poll-max-ns=0`]);
  const servedBy = threads.map((id, index) => `,iothread.${index}=${id}`).join("");
  const exported = (name: string) => {
    const writable = name === "live" ? "on" : "off";
    const how = over === "nbd" ? `type=nbd,name=${name}` : `type=fuse,mountpoint=${file(name)}`;
    return ["--export", `${how},id=${name},node-name=${name},writable=${writable}${servedBy}`];
  };
  const server = over === "nbd" ? ["--nbd-server", `addr.type=unix,addr.path=${file("socket")}`] : [];
  return [...threadObjects, ...nodes, ...server, ...names.flatMap(exported), "--pidfile", file("pid")];
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
