/** How far the copy of an image has come: told to the engine, where what was read is given up, and to a terminal. */
import type { Command } from "commander";
import { formatBytes } from "@/server/core/text/bytes";
import { exitCodes, Failure } from "../failure";
import { printNote } from "../output/print";
import { withWorker } from "../session";

/** The engine frees whole pieces of its cache file; smaller steps free no more. */
const TOLD_EVERY_BYTES = 8 * 1024 * 1024;
const TOLD_EVERY_MS = 500;
const SHOWN_EVERY_MS = 250;

export class CopyProgress {
  cacheFreedBytes = 0;
  private told = { offset: 0, atMs: 0 };
  private shownAtMs = 0;
  private shown = false;
  private silent = false;
  private readonly beganAtMs = performance.now();

  constructor(
    private readonly command: Command,
    private readonly id: string,
    private readonly options: { freeBehind: boolean },
  ) {}

  async taken(offset: number): Promise<void> {
    this.show(offset);
    const due = offset - this.told.offset >= TOLD_EVERY_BYTES || performance.now() - this.told.atMs >= TOLD_EVERY_MS;
    if (this.options.freeBehind && due) await this.tell(offset);
  }

  /** All of it was taken. */
  async end(sizeBytes: number): Promise<void> {
    if (this.options.freeBehind) await this.tell(sizeBytes);
    this.clear();
  }

  /** Takes the line for people away. */
  clear(): void {
    if (this.shown) process.stderr.write("\r\x1b[K");
    this.shown = false;
  }

  /** A worker that is away for a moment costs room in the cache, not the copy. */
  private async tell(offset: number): Promise<void> {
    try {
      const { id } = this;
      const { cacheFreedBytes } = await withWorker(this.command, (worker) =>
        worker.host("snapshot.passed", { id, offset }),
      );
      this.cacheFreedBytes += cacheFreedBytes;
      this.told.offset = offset;
      this.silent = false;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "OFO-COMM" || error.exitCode !== exitCodes.failed) throw error;
      if (!this.silent) printNote(`stillframe: ${error.message}; reading on, nothing is freed meanwhile`);
      this.silent = true;
    }
    this.told.atMs = performance.now();
  }

  private show(offset: number): void {
    const now = performance.now();
    if (!process.stderr.isTTY || now - this.shownAtMs < SHOWN_EVERY_MS) return;
    this.shownAtMs = now;
    this.shown = true;
    const rate = offset / ((now - this.beganAtMs) / 1000);
    process.stderr.write(`\r\x1b[K${formatBytes(offset)} read, ${formatBytes(rate)}/s`);
  }
}
