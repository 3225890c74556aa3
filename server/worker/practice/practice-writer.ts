/**
 * The practice writer: a process that treats a volume as a small database server with a busy log would.
 *
 * `shop.db` is a file of 4 KiB pages, each with its number, a version and a checksum. A transaction changes a few
 * random pages: their images go to `shop.wal` and are made durable, then to their places; at a checkpoint the
 * database is made durable and the WAL emptied. `app.log` grows and rotates. So a frozen image is consistent when
 * every page's checksum holds after the WAL is replayed, exactly what a real database asks of a snapshot.
 *
 * It works in bursts with pauses between them: quiet gaps come now and then, never for long. All of its files
 * together stay below a fifth of the volume.
 */
import { createHash, randomBytes, randomInt } from "node:crypto";
import { existsSync, mkdirSync, renameSync, statfsSync, statSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../clock";

const PAGE = 4096;
const HEADER = 32;
const MAGIC = 0x53464442;
const WAL_LIMIT = 1024 * 1024;
const LOGS_KEPT = 3;

/** A page's bytes: magic, number, version, checksum of the rest, content. */
export function makePage(number: number, version: number): Buffer {
  const page = Buffer.alloc(PAGE);
  page.writeUInt32LE(MAGIC, 0);
  page.writeUInt32LE(number, 4);
  page.writeUInt32LE(version, 8);
  randomBytes(256).copy(page, HEADER);
  checksum(page).copy(page, 16);
  return page;
}

/** Whether a page is one of ours and whole. */
export function isWholePage(page: Buffer, number: number): boolean {
  return (
    page.readUInt32LE(0) === MAGIC &&
    page.readUInt32LE(4) === number &&
    checksum(page).equals(page.subarray(16, HEADER))
  );
}

function checksum(page: Buffer): Buffer {
  return createHash("sha256").update(page.subarray(0, 16)).update(page.subarray(HEADER)).digest().subarray(0, 16);
}

/** A file system that becomes full takes a part first, and refuses only what comes then. */
export async function writeWhole(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

class PracticeDatabase {
  private walBytes = 0;
  private version = 1;

  private constructor(
    private readonly data: FileHandle,
    private readonly wal: FileHandle,
    private readonly pages: number,
  ) {}

  static async open(directory: string, pages: number): Promise<PracticeDatabase> {
    const path = join(directory, "shop.db");
    const fresh = !existsSync(path) || statSync(path).size !== pages * PAGE;
    const data = await open(path, fresh ? "w+" : "r+");
    const walPath = join(directory, "shop.wal");
    const wal = await open(walPath, existsSync(walPath) ? "r+" : "w+");
    const database = new PracticeDatabase(data, wal, pages);
    if (fresh) for (let n = 0; n < pages; n += 1) await writeWhole(data, makePage(n, 0), n * PAGE);
    else await database.replay();
    await database.checkpoint();
    return database;
  }

  /** Puts the whole page images of the WAL in their places; a torn one is where the last writer stopped. */
  private async replay(): Promise<void> {
    const images = await this.wal.readFile();
    for (let at = 0; at + PAGE <= images.length; at += PAGE) {
      const page = images.subarray(at, at + PAGE);
      const number = page.readUInt32LE(4);
      if (number >= this.pages || !isWholePage(page, number)) return;
      await writeWhole(this.data, page, number * PAGE);
    }
  }

  /** Changes some pages, durably. */
  async transact(changes: number): Promise<void> {
    this.version += 1;
    const pages = Array.from({ length: changes }, () => randomInt(this.pages)).map((n) => ({
      number: n,
      bytes: makePage(n, this.version),
    }));
    const images = Buffer.concat(pages.map((p) => p.bytes));
    await writeWhole(this.wal, images, this.walBytes);
    this.walBytes += images.length;
    await this.wal.datasync();
    for (const page of pages) await writeWhole(this.data, page.bytes, page.number * PAGE);
    if (this.walBytes >= WAL_LIMIT) await this.checkpoint();
  }

  async checkpoint(): Promise<void> {
    await this.data.datasync();
    await this.wal.truncate(0);
    await this.wal.datasync();
    this.walBytes = 0;
  }

  async close(): Promise<void> {
    await this.checkpoint();
    await this.data.close();
    await this.wal.close();
  }
}

class GrowingLog {
  private bytes = 0;
  private file: FileHandle | null = null;

  constructor(
    private readonly path: string,
    private readonly limit: number,
  ) {}

  async line(text: string): Promise<void> {
    this.file ??= await open(this.path, "a");
    const line = Buffer.from(`${new Date().toISOString()} ${text}\n`);
    await this.file.appendFile(line);
    this.bytes += line.length;
    if (this.bytes >= this.limit) await this.rotate();
  }

  async sync(): Promise<void> {
    await this.file?.sync();
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = null;
  }

  private async rotate(): Promise<void> {
    await this.close();
    for (let n = LOGS_KEPT - 1; n >= 1; n -= 1) {
      if (existsSync(`${this.path}.${n}`)) renameSync(`${this.path}.${n}`, `${this.path}.${n + 1}`);
    }
    renameSync(this.path, `${this.path}.1`);
    this.bytes = 0;
  }
}

/** Tells the worker that started this one, which may be gone by now. */
function sayBegun(): void {
  try {
    writeSync(process.stdout.fd, "begun\n");
  } catch {
    // nobody listens
  }
}

/** Writes to the file system at `mount` until it is told to stop. Says so on standard output once it begins. */
export async function runPracticeWriter(mount: string): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const { blocks, bsize } = statfsSync(mount);
  const sizeBytes = blocks * bsize;
  const directory = join(mount, "shop");
  mkdirSync(directory, { recursive: true });
  const pages = Math.max(64, Math.min(Math.floor((sizeBytes * 0.08) / PAGE), 8192));
  const logLimit = Math.max(256 * 1024, Math.min(Math.floor((sizeBytes * 0.08) / (LOGS_KEPT + 1)), 8 * 1024 * 1024));
  const database = await PracticeDatabase.open(directory, pages);
  const journal = new GrowingLog(join(directory, "app.log"), logLimit);
  sayBegun();

  while (!stop.signal.aborted) {
    const until = Date.now() + randomInt(1500, 5000);
    while (Date.now() < until && !stop.signal.aborted) {
      const changes = randomInt(1, 12);
      await database.transact(changes);
      for (let i = 0; i < changes * 4; i += 1)
        await journal.line(`order=${randomInt(1e9)} ${randomBytes(40).toString("hex")}`);
      await pause(randomInt(15, 60), stop.signal);
    }
    await journal.sync();
    await database.checkpoint();
    await pause(randomInt(600, 1600), stop.signal);
  }
  await database.close();
  await journal.close();
}
