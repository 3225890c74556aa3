/** What a volume's data rests in. */
import { rm } from "node:fs/promises";
import { blockDevice, makeImage } from "../fixtures/attached-volume";
import { Cleanup } from "../fixtures/cleanup";
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
    private readonly cleanup: Cleanup,
  ) {}

  static async make(store: Store, image: string, bytes: number): Promise<BackingStore> {
    const cleanup = new Cleanup();
    cleanup.add(`remove ${image}`, () => rm(image, { force: true }));
    const path = store === "memory" ? await makeImage(image, bytes) : await blockDevice(cleanup, image, bytes);
    return new BackingStore(image, path, cleanup);
  }

  remove(): Promise<void> {
    return this.cleanup.run();
  }
}
