/**
 * The log of `dm-log-writes` (the kernel's Documentation/admin-guide/device-mapper/log-writes.rst): every write to a device in
 * the order in which it became durable.
 *
 * A plain write enters the log not when it completes but with the next flush, just before that flush's own entry; a write with
 * FUA enters at once; what no flush followed is missing, or comes last. So a prefix that ends with a flush or
 * FUA entry is what a disk with a volatile cache may hold after a power cut at that instant, at worst.
 *
 * On disk, all little-endian, in units of the log's sector size: sector 0 is {magic, version, number of entries, u32 sector size}; then
 * each entry is a sector {sector, sectors, flags, bytes of text}, the text of a mark behind the head, followed by its data.
 */
import type { FileHandle } from "node:fs/promises";

const MAGIC = 0x6a736677736872n;
const HEAD_BYTES = 32;
const FLUSH = 1;
const FUA = 2;
const DISCARD = 4;
const MARK = 8;

export interface LogEntry {
  /** Byte range on the logged device. */
  at: number;
  bytes: number;
  /** Where in the log the data is; null for a discard and where there is none. */
  dataAt: number | null;
  discard: boolean;
  /** Ends a state that the device was told to make durable. */
  boundary: boolean;
  /** Text of a mark. */
  mark: string | null;
}

/** Throws when it is no such log, or is cut off. */
export async function* readLog(log: FileHandle): AsyncGenerator<LogEntry> {
  const head = await readAt(log, 0, HEAD_BYTES);
  if (head.readBigUInt64LE(0) !== MAGIC) throw new Error("this is no log of dm-log-writes");
  const version = head.readBigUInt64LE(8);
  if (version !== 1n) throw new Error(`the log has version ${version}; 1 is known`);
  const count = Number(head.readBigUInt64LE(16));
  const unit = head.readUInt32LE(24);
  let at = unit;
  for (let number = 0; number < count; number += 1) {
    const sector = await readAt(log, at, unit);
    const [start, sectors, flags, textBytes] = [0, 8, 16, 24].map((place) => Number(sector.readBigUInt64LE(place)));
    if (start === undefined || sectors === undefined || flags === undefined || textBytes === undefined) return;
    at += unit;
    const discard = (flags & DISCARD) !== 0;
    const bytes = sectors * unit;
    const hasData = bytes > 0 && !discard;
    yield {
      at: start * unit,
      bytes,
      dataAt: hasData ? at : null,
      discard,
      boundary: (flags & (FLUSH | FUA)) !== 0,
      mark: flags & MARK ? sector.toString("latin1", HEAD_BYTES, HEAD_BYTES + textBytes) : null,
    };
    if (hasData) at += bytes;
  }
}

/** Makes `image` what the device was after this entry. */
export async function apply(entry: LogEntry, log: FileHandle, image: FileHandle): Promise<void> {
  if (entry.bytes === 0) return;
  const data = entry.dataAt === null ? Buffer.alloc(entry.bytes) : await readAt(log, entry.dataAt, entry.bytes);
  await image.write(data, 0, data.length, entry.at);
}

async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, at);
  if (bytesRead < bytes) throw new Error(`the log ends at byte ${at + bytesRead}, inside an entry`);
  return buffer;
}
