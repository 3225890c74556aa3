/** A snapshot that is open, what its image must hold, and the looks at it. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { type AttachedVolume, frozenMountOptions, imageMustBeSound, mount, unmount } from "../fixtures/attached-volume";
import type { Cleanup } from "../fixtures/cleanup";
import { hashOf, manifestOf } from "../fixtures/device-hash";
import { mayRunFull, type Room } from "./cache-places";
import type { Manifest } from "./known-tree";
import type { Kind } from "./options";
import { reportOf } from "./patience";
import { Difference, type Tally } from "./tally";

export interface Taken {
  id: string;
  room: Room;
  /** Hash of the backing store while nothing wrote to it; null where free blocks are left out of the image. */
  instant: string | null;
  /** What the known tree held; null on a volume without one. */
  tree: { manifest: Manifest; bytes: number } | null;
}

export class OpenSnapshot {
  private first: string | null = null;

  constructor(
    private readonly volume: AttachedVolume,
    private readonly kind: Kind,
    private readonly bytes: number,
    private readonly taken: Taken,
    private readonly tally: Tally,
    private readonly cleanup: Cleanup,
  ) {}

  get id(): string {
    return this.taken.id;
  }

  /** Whether its image holds every block of its instant and cannot be lost. */
  get isWhole(): boolean {
    return this.taken.instant !== null && !mayRunFull(this.taken.room);
  }

  /** Whether its cache has run full where that was allowed. Any other loss is an error. */
  async isLost(): Promise<boolean> {
    const report = await reportOf(this.volume, this.id);
    if (report?.state === "active") return false;
    const what = `snapshot ${this.id} is ${report?.state ?? "gone"}: ${report?.detail ?? ""}`;
    if (report?.state !== "overflowed" || !mayRunFull(this.taken.room)) throw new Error(what);
    return true;
  }

  /** Hashes the whole image: the same as at its instant, and the same as before. */
  async lookAtHash(): Promise<void> {
    const { instant } = this.taken;
    const hash = await hashOf(await this.volume.export(this.id));
    const differs = (name: "imageIsInstant" | "imageUnchanged", other: string) =>
      new Difference(name, `${this.kind} snapshot ${this.id} in a ${this.taken.room} cache: ${hash}, not ${other}`);
    if (instant !== null && hash !== instant) throw differs("imageIsInstant", instant);
    if (instant !== null) this.tally.add("imageIsInstant", this.bytes);
    if (this.first !== null && hash !== this.first) throw differs("imageUnchanged", this.first);
    if (this.first !== null) this.tally.add("imageUnchanged", instant === null ? this.bytes : 0);
    this.first = hash;
  }

  /** Mounts the image read-only and compares the known tree. */
  async lookAtTree(): Promise<void> {
    const { tree } = this.taken;
    if (tree === null || this.kind === "raw") return;
    const at = join(this.volume.directory, `frozen-${this.id}`);
    await mount(this.cleanup, await this.volume.export(this.id), at, frozenMountOptions[this.kind]);
    try {
      const found = await manifestOf(join(at, "tree"));
      if (JSON.stringify(found) !== JSON.stringify(tree.manifest)) {
        throw new Difference("imageTree", `${this.kind} snapshot ${this.id}: ${difference(found, tree.manifest)}`);
      }
    } finally {
      await unmount(at);
    }
    this.tally.add("imageTree", tree.bytes);
  }

  async lookAtSoundness(): Promise<void> {
    if (this.kind === "raw") return;
    const image = await this.volume.export(this.id);
    await imageMustBeSound(this.cleanup, image, this.kind, this.volume.directory);
    this.tally.add("imageSound");
  }

  /** Reads the image over NBD with a client that comes back when its connection breaks. */
  async lookOverNbd(): Promise<void> {
    const { runDirectory, directory } = this.volume;
    const copy = join(directory, `nbd-${this.id}`);
    const server = `driver=nbd,server.type=unix,server.path=${runDirectory}/nbd.sock`;
    const source = `${server},export=${this.id},reconnect-delay=30,open-timeout=30`;
    try {
      await mustRun("qemu-img", ["convert", "-O", "raw", "--image-opts", source, copy]);
      const [found, expected] = [await hashOf(copy), await hashOf(await this.volume.export(this.id))];
      if (found !== expected) throw new Difference("nbdImage", `${this.kind} snapshot ${this.id}`);
      this.tally.add("nbdImage", this.bytes);
    } finally {
      await rm(copy, { force: true });
    }
  }

  unexport(): Promise<void> {
    return this.volume.unexport(this.id);
  }
}

/** The first few names that differ. */
export function difference(found: Manifest, expected: Manifest): string {
  const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])];
  const wrong = names.filter((name) => found[name] !== expected[name]);
  const told = wrong.slice(0, 5).map((name) => {
    if (found[name] === undefined) return `${name} is missing`;
    return expected[name] === undefined ? `${name} should not be there` : `${name} has other content`;
  });
  return `${wrong.length} files differ: ${told.join(", ")}`;
}
