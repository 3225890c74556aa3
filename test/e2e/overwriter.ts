/** A load that overwrites one file's existing blocks at a steady rate, and notes every write that failed. */
import { randomBytes } from "node:crypto";
import { closeSync, fdatasyncSync, fstatSync, openSync, writeSync } from "node:fs";
import { pause } from "../fixtures/native-program";

const stepMs = 100;

export class Overwriter {
  readonly failures: string[] = [];
  private running = true;
  private readonly done: Promise<void>;

  constructor(path: string, bytesPerSecond: number) {
    this.done = this.write(path, Math.max(4096, (bytesPerSecond * stepMs) / 1000));
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
  }

  private async write(path: string, chunk: number): Promise<void> {
    const file = openSync(path, "r+");
    try {
      const size = fstatSync(file).size;
      for (let at = 0; this.running; at = (at + chunk) % size) {
        const data = randomBytes(Math.floor(Math.min(chunk, size - at)));
        try {
          writeSync(file, data, 0, data.length, at);
          fdatasyncSync(file);
        } catch (error) {
          this.failures.push((error as Error).message);
        }
        await pause(stepMs);
      }
    } finally {
      closeSync(file);
    }
  }
}
