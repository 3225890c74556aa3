/** What is compared: the same backing file as a device in several ways. Each is set up for one run and taken away. */
import { mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { EngineClient } from "@/server/worker/engine/client";
import { type AttachResult, ENGINE_PROTOCOL } from "@/server/worker/engine/protocol.gen";
import { mustRun } from "@/server/worker/programs/run-program";
import { hashOf, type Reading } from "../fixtures/device-hash";
import { mustEngineCommand } from "../fixtures/native-program";
import { VERIFIED_BLOCKS, VERIFIED_BYTES, wrongBlocks } from "./fio";
import { hashOfPeerImage, hashOverNbd, type PeerChoice, withPeer } from "./peer";
import type { PeerProgram } from "./peer-program";
import { limitWrites } from "./write-limit";

/** Where a subject works. */
export interface Place {
  backing: string;
  bytes: number;
  /** For the engine's run directory and caches. */
  directory: string;
}

export interface Device {
  /** How fio reaches it. */
  fio: string[];
  /** Bytes that pre-images take; null without a snapshot. */
  cacheBytes(): Promise<number | null>;
  /** Whether the open snapshot's image is what it was; true without a snapshot. */
  imageIsRight(): Promise<boolean>;
  /** Seconds of processor time that the process behind it has used; null where the kernel serves. */
  processorSeconds(): Promise<number | null>;
}

export interface Subject {
  name: string;
  /** Whether it is known to corrupt data: then that is counted, and no error. */
  corrupts?: true;
  use(place: Place, run: (device: Device) => Promise<void>): Promise<void>;
}

const onDevice = (path: string) => [`--filename=${path}`, "--ioengine=libaio", "--direct=1"];
const overNbd = (uri: string) => ["--ioengine=nbd", `--uri=${uri}`];

/** A loop device as the transport makes its own: direct, with sectors of 4096 bytes. `more`: options of `losetup`. */
export async function withLoop(file: string, use: (device: string) => Promise<void>, ...more: string[]): Promise<void> {
  const how = ["--direct-io=on", "--sector-size", "4096", ...more];
  const path = (await mustRun("losetup", ["--find", "--show", ...how, file])).trim();
  try {
    await use(path);
  } finally {
    await mustRun("losetup", ["--detach", path]);
  }
}

/** User and system time together; the kernel counts in hundredths. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export const rawLoop: Subject = {
  name: "raw loop",
  use: (place, run) =>
    withLoop(place.backing, (path) =>
      run({
        fio: onDevice(path),
        cacheBytes: async () => null,
        imageIsRight: async () => true,
        processorSeconds: async () => null,
      }),
    ),
};

export interface Attached {
  result: AttachResult;
  client: EngineClient;
  runDirectory: string;
  pid: number;
}

/** Attaches the backing file, whatever happens detaches it. `more`: options of `attach`. */
export async function withEngine(
  place: Place,
  use: (attached: Attached) => Promise<void>,
  ...more: string[]
): Promise<void> {
  const runDirectory = join(place.directory, "run");
  const where = ["--run-dir", runDirectory];
  try {
    const what = ["--id", basename(place.directory), "--backing", place.backing, "--sector-size", "4096", ...more];
    const result = await mustEngineCommand<AttachResult>("attach", ...what, ...where);
    const client = await EngineClient.open(result.socket);
    try {
      const { pid } = await client.request("hello", { protocol: ENGINE_PROTOCOL });
      await use({ result, client, runDirectory, pid });
    } finally {
      client.close();
    }
  } finally {
    await mustEngineCommand("detach", ...where, "--force");
  }
}

/** Prepares a snapshot with room for every block of the volume, reserved ahead. */
export async function prepare(
  { client }: Attached,
  place: Place,
  snapshot: string,
  initialBytes = place.bytes,
  skipFreeBlocks = true,
) {
  const directory = join(place.directory, "cache");
  await mkdir(directory, { recursive: true });
  await client.request("prepare", {
    snapshot,
    cache: { directory, initialBytes, maxBytes: 2 * place.bytes },
    whenFull: "release",
    holdMs: 0,
    skipFreeBlocks,
  });
}

/**
 * For what is no job of `Bench.run`: writes 32 MiB under a snapshot, reads them back, and compares its image with the
 * backing file as it was before. Throws where anything differs. `sparse`: of the image only what was written over.
 */
export async function verifyEngine(attached: Attached, place: Place, sparse?: "sparse"): Promise<void> {
  const { client, result, runDirectory } = attached;
  const what = sparse ? { bytes: VERIFIED_BYTES } : {};
  const before = await hashOf(place.backing, what);
  await prepare(attached, place, "verified", VERIFIED_BYTES, false); // free blocks are written over, too
  await client.request("activate", { snapshot: "verified" });
  const wrong = await wrongBlocks(onDevice(result.device));
  if (wrong > 0) throw new Error(`${wrong} of ${VERIFIED_BLOCKS} blocks are wrong`);
  await mustBeFrozen(runDirectory, "verified", before, what);
  await client.request("release", { snapshot: "verified" });
}

/** Throws where an open snapshot's image does not have the hash. */
export async function mustBeFrozen(runDirectory: string, snapshot: string, hash: string, what: Reading = {}) {
  if ((await hashOfFrozen(runDirectory, snapshot, what)) !== hash)
    throw new Error(`the frozen image of ${snapshot} changed`);
}

export interface EngineChoice {
  threads?: number;
  /** `first`: each block is preserved at its first write; `preserved`: all of them have been. */
  snapshot?: "first" | "preserved";
  over?: "nbd";
  /** What its disk does in a second. */
  writesPerSecond?: number;
}

export function engine(name: string, choice: EngineChoice = {}): Subject {
  const threads = choice.threads === undefined ? [] : ["--threads", String(choice.threads)];
  const use: Subject["use"] = (place, run) =>
    withEngine(
      place,
      async (attached) => {
        const { result, client, runDirectory, pid } = attached;
        const path = result.device;
        if (choice.writesPerSecond !== undefined)
          await limitWrites(basename(place.directory), place.backing, choice.writesPerSecond);
        const before = choice.snapshot === undefined ? "" : await hashOf(place.backing);
        if (choice.snapshot !== undefined) {
          await prepare(attached, place, "s1");
          await client.request("activate", { snapshot: "s1" });
        }
        if (choice.snapshot === "preserved") await overwriteAll(path, place.bytes);
        const nbd = choice.over === "nbd" ? await client.request("serveNbd", { live: "readWrite" }) : null;
        await run({
          fio: nbd === null ? onDevice(path) : overNbd(`nbd+unix:///live?socket=${nbd.socket}`),
          cacheBytes: async () =>
            choice.snapshot === undefined ? null : (await client.request("describe", {})).cache.usedBytes,
          imageIsRight: async () =>
            choice.snapshot === undefined || (await hashOfFrozen(runDirectory, "s1")) === before,
          processorSeconds: () => processorSeconds(pid),
        });
      },
      ...threads,
    );
  return { name, use };
}

async function overwriteAll(device: string, bytes: number): Promise<void> {
  const fill = [`of=${device}`, "if=/dev/zero", "bs=4M", `count=${bytes / 4 / 1024 / 1024}`];
  await mustRun("dd", [...fill, "oflag=direct", "status=none"]);
}

async function hashOfFrozen(runDirectory: string, snapshot: string, what: Reading = {}): Promise<string> {
  const where = ["--run-dir", runDirectory, "--snapshot", snapshot];
  const image = await mustEngineCommand<{ device: string }>("export", ...where);
  try {
    return await hashOf(image.device, what);
  } finally {
    await mustEngineCommand("unexport", ...where);
  }
}

/** The peer, and what was found of it. */
export interface Peer {
  program: PeerProgram;
  /** Its FUSE export returns wrong data when more than one request is in flight. */
  corrupts: boolean;
}

export function peer(name: string, { program, corrupts }: Peer, choice: PeerChoice): Subject {
  const use: Subject["use"] = (place, run) =>
    withPeer(program, place, choice, async (exports) => {
      const before = choice.snapshot ? await hashOf(place.backing) : "";
      const image = () => (choice.over === "nbd" ? hashOverNbd(exports.frozenUri) : hashOfPeerImage(exports.frozen));
      const device = (fio: string[]): Device => ({
        fio,
        cacheBytes: async () => (choice.snapshot ? exports.cacheBytes() : null),
        imageIsRight: async () => !choice.snapshot || (await image()) === before,
        processorSeconds: () => processorSeconds(exports.pid),
      });
      if (choice.over === "nbd") await run(device(overNbd(exports.uri)));
      else await withLoop(exports.live, (path) => run(device(onDevice(path))));
    });
  return corrupts && choice.over === "fuse" && !choice.oneAtATime ? { name, corrupts, use } : { name, use };
}

/** Its FUSE export as it comes, with its better settings, and as it has to be run where it corrupts data otherwise. */
export interface PeerByFuse {
  shipped: Subject;
  tuned: Subject;
  /** Null where it is correct as it comes. */
  correct: Subject | null;
}

export function peerByFuse(of: Peer, snapshot: boolean): PeerByFuse {
  return {
    shipped: peer("peer as shipped", of, { snapshot, over: "fuse" }),
    tuned: peer("peer tuned", of, { snapshot, over: "fuse", tuned: true }),
    correct: of.corrupts ? peer("peer made correct", of, { snapshot, over: "fuse", oneAtATime: true }) : null,
  };
}
