/** What lies on an attached volume, a file system or raw blocks: its loads, and how a moment without writes is made. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { type AttachedVolume, MIB, mount, mustBeSound, unmount } from "../fixtures/attached-volume";
import type { BackgroundProgram } from "../fixtures/background-program";
import type { Cleanup } from "../fixtures/cleanup";
import { manifestOf } from "../fixtures/device-hash";
import { KnownTree } from "./known-tree";
import {
  allocationLoad,
  deviceLoad,
  discardLoad,
  fileLoad,
  hold,
  resume,
  unalignedLoad,
  type VerifiedLoad,
} from "./loads";
import { difference } from "./open-snapshot";
import type { Random } from "./random";
import { Difference, type Tally } from "./tally";

const TREE_BYTES = 8 * MIB;

export interface Surface {
  /** Null on raw blocks. */
  readonly tree: KnownTree | null;
  /** Makes it, or finds it again after a detach, and starts the loads. */
  begin(cleanup: Cleanup, volume: AttachedVolume, sectorSize: number): Promise<void>;
  /** Throws when a load has seen an error. */
  mustBeWell(): void;
  /** Runs `then` while no write is on its way to the backing store. */
  atRest<T>(then: () => Promise<T>): Promise<T>;
  /** Ends the loads; nothing is mounted afterwards. */
  end(): Promise<void>;
}

export class RawSurface implements Surface {
  readonly tree = null;
  private device = "";
  private verified: VerifiedLoad | null = null;
  private others: BackgroundProgram[] = [];

  constructor(
    private readonly bytes: number,
    private readonly tally: Tally,
  ) {}

  async begin(cleanup: Cleanup, volume: AttachedVolume, sectorSize: number): Promise<void> {
    this.device = volume.device;
    this.verified = deviceLoad(cleanup, volume.device, this.bytes);
    this.others = [
      unalignedLoad(cleanup, volume.device, this.bytes, sectorSize),
      discardLoad(cleanup, volume.device, this.bytes),
    ];
  }

  mustBeWell(): void {
    this.verified?.mustRun();
    mustAllRun(this.others);
  }

  async atRest<T>(then: () => Promise<T>): Promise<T> {
    const all = [...this.others, ...(this.verified === null ? [] : [this.verified.program])];
    try {
      await hold(all, this.device);
      return await then();
    } finally {
      resume(all);
    }
  }

  async end(): Promise<void> {
    this.mustBeWell();
    for (const other of this.others) await other.stop();
    const bytes = await this.verified?.finish();
    this.tally.add("verifiedWrites", bytes);
  }
}

/** On the first `bytes` of the device. A later attachment may have the larger sectors. */
async function makeOnPart(device: string, kind: "ext4" | "xfs", bytes: number): Promise<void> {
  if (kind === "ext4") await mustRun("mkfs.ext4", ["-q", "-F", "-b", "4096", device, `${bytes / 1024}k`]);
  else await mustRun("mkfs.xfs", ["-q", "-f", "-s", "size=4096", "-d", `size=${bytes}`, device]);
}

export class FileSystemSurface implements Surface {
  readonly tree: KnownTree;
  private at: string;
  private device = "";
  private made = false;
  private verified: VerifiedLoad | null = null;
  private others: BackgroundProgram[] = [];

  constructor(
    private readonly kind: "ext4" | "xfs",
    private readonly bytes: number,
    mountPoint: string,
    random: Random,
    private readonly tally: Tally,
  ) {
    this.at = mountPoint;
    this.tree = new KnownTree(join(mountPoint, "tree"), random);
  }

  async begin(cleanup: Cleanup, volume: AttachedVolume): Promise<void> {
    this.device = volume.device;
    if (!this.made) await makeOnPart(volume.device, this.kind, this.bytes);
    await mount(cleanup, volume.device, this.at);
    if (this.made) {
      await this.compareTree();
    } else {
      await this.tree.grow(TREE_BYTES);
      await mkdir(join(this.at, "load"));
      this.made = true;
    }
    this.verified = fileLoad(cleanup, join(this.at, "load"));
    this.others = [allocationLoad(cleanup, join(this.at, "allocation"), this.kind === "xfs")];
  }

  mustBeWell(): void {
    this.verified?.mustRun();
    mustAllRun(this.others);
  }

  async atRest<T>(then: () => Promise<T>): Promise<T> {
    await mustRun("sync", ["-f", this.at]);
    try {
      await mustRun("fsfreeze", ["--freeze", this.at]);
      return await then();
    } finally {
      await mustRun("fsfreeze", ["--unfreeze", this.at]);
    }
  }

  async end(): Promise<void> {
    this.mustBeWell();
    for (const other of this.others) await other.stop();
    const bytes = await this.verified?.finish();
    this.tally.add("verifiedWrites", bytes);
    await this.compareTree();
    await unmount(this.at);
    await mustBeSound(this.device, this.kind);
    this.tally.add("liveSound");
  }

  private async compareTree(): Promise<void> {
    const [found, expected] = [await manifestOf(this.tree.directory), this.tree.manifest];
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      throw new Difference("liveTree", `${this.kind}: ${difference(found, expected)}`);
    }
    this.tally.add("liveTree", this.tree.bytes);
  }
}

function mustAllRun(programs: BackgroundProgram[]): void {
  for (const program of programs) if (!program.running) throw new Error(`a load has ended: ${program.output}`);
}
