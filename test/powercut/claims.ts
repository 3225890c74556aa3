/**
 * What the writer (`native/powercut`) was told is durable, and whether a device or directory holds it.
 *
 * | claim | promises |
 * |---|---|
 * | `ready` | the file system is there; before it nothing is promised |
 * | `log:s:n` | `stream-s/log` holds the records 1 to n in order |
 * | `new:s:n` | `stream-s/new-n` is record n, until `gone:s:n` |
 * | `replaced:s:n` | `stream-s/replaced` is one whole record, n or later |
 * | `slot:s:n` | one of the two slots of stream s holds record n or a later one, whole |
 * | `end` | nothing; the writer's last word |
 */
import { existsSync } from "node:fs";
import { type FileHandle, readFile } from "node:fs/promises";
import { join } from "node:path";
import { wholeRecord } from "./record";

const LOG_RECORD_BYTES = 1000;
const STREAM_BYTES = 4 << 20;
const SLOT_BYTES = 64 * 1024;

export class Claims {
  ready = false;
  /** Claims made so far. */
  made = 0;
  private readonly log = new Map<number, number>();
  private readonly replaced = new Map<number, number>();
  private readonly slot = new Map<number, number>();
  private readonly added = new Map<number, Set<number>>();

  add(mark: string): void {
    const [kind, stream = 0, number = 0] = mark.split(":").map((part, place) => (place === 0 ? part : Number(part)));
    if (typeof stream !== "number" || typeof number !== "number") throw new Error(`not a claim: ${mark}`);
    const files = this.added.get(stream) ?? new Set();
    this.added.set(stream, files);
    if (kind === "ready") this.ready = true;
    else if (kind === "log") this.log.set(stream, number);
    else if (kind === "replaced") this.replaced.set(stream, number);
    else if (kind === "slot") this.slot.set(stream, number);
    else if (kind === "new") files.add(number);
    else if (kind === "gone") files.delete(number);
    else if (kind !== "end") throw new Error(`not a claim: ${mark}`);
    if (kind !== "ready" && kind !== "end" && kind !== "gone") this.made += 1;
  }

  /** What is missing in a directory that the writer wrote to; empty when all is there. */
  async missingInDirectory(directory: string): Promise<string[]> {
    const missing: string[] = [];
    const read = (stream: number, name: string) => {
      const path = join(directory, `stream-${stream}`, name);
      return existsSync(path) ? readFile(path) : Buffer.alloc(0);
    };
    for (const [stream, last] of this.log) {
      const bytes = await read(stream, "log");
      for (let number = 1; number <= last; number += 1) {
        const at = (number - 1) * LOG_RECORD_BYTES;
        const found = wholeRecord(bytes.subarray(at, at + LOG_RECORD_BYTES), stream);
        if (found?.number === number) continue;
        missing.push(`stream ${stream}: record ${number} of ${last} in the log`);
        break;
      }
    }
    for (const [stream, last] of this.replaced) {
      const found = wholeRecord(await read(stream, "replaced"), stream);
      if (!found || found.number < last)
        missing.push(`stream ${stream}: replaced file ${last}, found ${found?.number}`);
    }
    for (const [stream, numbers] of this.added) {
      for (const number of numbers) {
        if (wholeRecord(await read(stream, `new-${number}`), stream)?.number === number) continue;
        missing.push(`stream ${stream}: new file ${number}`);
      }
    }
    return missing;
  }

  /** The same for a device that the writer wrote to without a file system. */
  async missingOnDevice(device: FileHandle): Promise<string[]> {
    const missing: string[] = [];
    for (const [stream, last] of this.slot) {
      const both = Buffer.alloc(2 * SLOT_BYTES);
      await device.read(both, 0, both.length, stream * STREAM_BYTES);
      const found = [both.subarray(0, SLOT_BYTES), both.subarray(SLOT_BYTES)].map((slot) => wholeRecord(slot, stream));
      const newest = Math.max(...found.map((record) => record?.number ?? 0));
      if (newest < last) missing.push(`stream ${stream}: record ${last}, found ${newest}`);
    }
    return missing;
  }
}
