/** Where the copy of an image goes: a file, or standard output. */
import { fstatSync, write } from "node:fs";
import { type FileHandle, lstat, open, rename, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { promisify } from "node:util";
import { Failure, usageFailure } from "../failure";

/** Takes an image in order, each chunk before the next is offered. */
export interface ImageTarget {
  /** The chunk may be used again afterwards. */
  put(chunk: Buffer): Promise<void>;
  /** All of it is there, durably where the target has a say in that. */
  finish(): Promise<void>;
  /** What came so far is of no use. */
  abandon(): Promise<void>;
}

/** As a file system counts them. A run of zeros of this length becomes a hole of the file. */
const BLOCK = 4096;
const zeros = Buffer.alloc(BLOCK);

/** A sparse file, under its name only when it is whole; `FILE.part` before. */
export class FileTarget implements ImageTarget {
  writtenBytes = 0;
  private at = 0;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** Throws where a file of that name, or the part of another copy, is there already. */
  static async create(path: string): Promise<FileTarget> {
    for (const name of [path, partOf(path)]) {
      const there = await lstat(name).catch(() => null);
      if (there !== null) throw usageFailure(`--output: ${name} exists already; remove it or name another file`);
    }
    const file = await open(partOf(path), "wx", 0o600).catch((error: Error) => {
      throw usageFailure(`--output: ${error.message}`);
    });
    return new FileTarget(path, file);
  }

  async put(chunk: Buffer): Promise<void> {
    for (const { from, to } of dataRuns(chunk)) {
      await writeAll(this.file.fd, chunk.subarray(from, to), this.at + from).catch((error: Error) => {
        throw new Failure(`${partOf(this.path)} could not be written: ${error.message}`);
      });
      this.writtenBytes += to - from;
    }
    this.at += chunk.length;
  }

  async finish(): Promise<void> {
    await this.file.truncate(this.at);
    await this.file.sync();
    await this.file.close();
    await rename(partOf(this.path), this.path);
  }

  async abandon(): Promise<void> {
    await this.file.close().catch(() => undefined);
    await rm(partOf(this.path), { force: true });
  }
}

function partOf(path: string): string {
  return `${path}.part`;
}

/** The parts of a chunk that are not blocks of zeros, in order. */
function dataRuns(chunk: Buffer): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (let from = 0; from < chunk.length; from += BLOCK) {
    const to = Math.min(from + BLOCK, chunk.length);
    if (chunk.compare(zeros, 0, to - from, from, to) === 0) continue;
    const last = runs.at(-1);
    if (last?.to === from) last.to = to;
    else runs.push({ from, to });
  }
  return runs;
}

/** Standard output. A pipe is written without blocking, so that a slow reader delays nothing but the copy. */
export function standardOutput(): ImageTarget {
  const fd = 1;
  const kind = fstatSync(fd);
  return kind.isFIFO() || kind.isSocket() ? new PipeTarget(fd) : new PlainTarget(fd);
}

class PipeTarget implements ImageTarget {
  private readonly socket: Socket;

  constructor(fd: number) {
    this.socket = new Socket({ fd, readable: false, writable: true });
    this.socket.on("error", () => undefined); // each write is told of it
  }

  put(chunk: Buffer): Promise<void> {
    return new Promise((done, fail) => {
      this.socket.write(chunk, (error) => (error ? fail(readerGone(error)) : done()));
    });
  }

  async finish(): Promise<void> {}

  async abandon(): Promise<void> {
    this.socket.destroy();
  }
}

class PlainTarget implements ImageTarget {
  constructor(private readonly fd: number) {}

  put(chunk: Buffer): Promise<void> {
    return writeAll(this.fd, chunk, null).catch((error: Error) => {
      throw new Failure(`standard output could not be written: ${error.message}`);
    });
  }

  async finish(): Promise<void> {}
  async abandon(): Promise<void> {}
}

const writeOnce = promisify(write);

/** A disk that becomes full takes a part first, and refuses only what comes then. `at`: null where the file stands. */
async function writeAll(fd: number, bytes: Buffer, at: number | null): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await writeOnce(fd, bytes, done, bytes.length - done, at === null ? null : at + done);
    done += bytesWritten;
  }
}

function readerGone(error: Error & { code?: string }): Failure {
  const gone = error.code === "EPIPE" || error.code === "ECONNRESET";
  return new Failure(gone ? "what read standard output has ended" : `standard output: ${error.message}`);
}
