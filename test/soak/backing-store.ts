/** What a volume's data rests in. */
import { rm } from "node:fs/promises";
import { mustRun } from "@/server/worker/programs/run-program";
import { makeImage } from "../fixtures/attached-volume";
import type { Store } from "./options";

/**
 * An image in memory, which answers at once, or a block device over it, whose reads and writes go on behind the
 * engine's threads as those of a disk do.
 */
export class BackingStore {
  private constructor(
    /** Holds all data, whatever lies above. */
    readonly image: string,
    /** What is attached. */
    readonly path: string,
  ) {}

  static async make(store: Store, image: string, bytes: number): Promise<BackingStore> {
    await makeImage(image, bytes);
    if (store === "memory") return new BackingStore(image, image);
    const device = await mustRun("losetup", ["--find", "--show", "--direct-io=on", image]);
    return new BackingStore(image, device.trim());
  }

  async remove(): Promise<void> {
    if (this.path !== this.image) await mustRun("losetup", ["--detach", this.path]);
    await rm(this.image, { force: true });
  }
}
