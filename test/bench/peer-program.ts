/** Which `qemu-storage-daemon` is measured: the newest that Debian's backports have, or the one that is installed. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mustRun } from "@/server/worker/programs/run-program";
import { downloadWithAllItNeeds } from "../fixtures/debian-archive";
import { unpackedOnce } from "../fixtures/unpacked-packages";

export const PROGRAM = "qemu-storage-daemon";
export const CHOICES = ["newest", "installed"] as const;
export type WhichPeer = (typeof CHOICES)[number];

const unpacked = fileURLToPath(new URL("../../native/target/peer", import.meta.url));

export interface PeerProgram {
  /** What to run, and the arguments that go before its own. */
  program: string;
  before: string[];
  /** The first line of `--version`. */
  version: string;
  /** Whether one FUSE export can be served by several threads: its reference says since QEMU 10.1, tried with 11. */
  threads: boolean;
}

/** Where the newest cannot be had, the installed one, and `say` hears why. Throws where there is neither. */
export async function peerProgram(which: WhichPeer, say: (text: string) => void): Promise<PeerProgram> {
  if (which === "newest") {
    try {
      return await newest();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      say(`!!! THE NEWEST ${PROGRAM} CANNOT BE HAD, the installed one is measured instead: ${reason}`);
    }
  }
  try {
    return await withVersion(PROGRAM, []);
  } catch (error) {
    throw new Error(`${PROGRAM} cannot be run: apt-get install qemu-system-common`, { cause: error });
  }
}

/** Run by the loader of its own C library, as its release is newer than this machine's. */
async function newest(): Promise<PeerProgram> {
  await unpackedOnce(unpacked, (directory) => downloadWithAllItNeeds("qemu-utils", directory));
  const files = readdirSync(unpacked, { recursive: true, encoding: "utf8" });
  const find = (what: string, name: RegExp): string => {
    const found = files.find((path) => name.test(path));
    if (found === undefined) throw new Error(`${unpacked} holds no ${what}; remove it`);
    return join(unpacked, found);
  };
  const libraries = dirname(find("C library", /(^|\/)libc\.so\.6$/));
  const daemon = find(PROGRAM, /(^|\/)bin\/qemu-storage-daemon$/);
  return withVersion(find("loader", /(^|\/)ld-linux[^/]*\.so\.\d+$/), ["--library-path", libraries, daemon]);
}

async function withVersion(program: string, before: string[]): Promise<PeerProgram> {
  const said = await mustRun(program, [...before, "--version"]);
  const version = said.split("\n")[0] ?? "";
  return { program, before, version, threads: Number(/version (\d+)/.exec(version)?.[1]) >= 11 };
}
