/** Copies a frozen image from its first byte to its last, and says how far it has come. */
import { open } from "node:fs/promises";
import type { ImageTarget } from "./targets";

const CHUNK_BYTES = 1024 * 1024;

/** The image could not be read. */
export class UnreadableImage extends Error {}

export interface Copying {
  device: string;
  target: ImageTarget;
  /** After each chunk that the target has taken. `offset`: bytes, all of the image below it. */
  onTaken: (offset: number) => Promise<void>;
  signal: AbortSignal;
}

/** The image's size in bytes; null when it was interrupted. Throws {@link UnreadableImage}, or what the target throws. */
export async function copyImage({ device, target, onTaken, signal }: Copying): Promise<number | null> {
  const image = await open(device, "r").catch((error: Error) => {
    throw new UnreadableImage(error.message);
  });
  const interrupted = new Promise<null>((told) => signal.addEventListener("abort", () => told(null), { once: true }));
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let offset = 0; ; ) {
      const { bytesRead } = await image.read(chunk, 0, chunk.length, offset).catch((error: Error) => {
        throw new UnreadableImage(error.message);
      });
      if (bytesRead === 0) return offset;
      // A target may stand still for as long as it likes.
      const put = await Promise.race([target.put(chunk.subarray(0, bytesRead)), interrupted]);
      if (put === null || signal.aborted) return null;
      offset += bytesRead;
      await onTaken(offset);
    }
  } finally {
    await image.close();
  }
}
