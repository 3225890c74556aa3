/** The content of a record, as `native/powercut/src/record.rs` makes it: it tells whose it is and whether it is whole. */

const MAGIC = 0x5354494c;
const HEAD_BYTES = 16;

/** The number of the whole record that `bytes` begins with; null when there is none of this stream, or it is torn. */
export function wholeRecord(bytes: Buffer, stream: number): { number: number; bytes: number } | null {
  if (bytes.length < HEAD_BYTES || bytes.readUInt32LE(0) !== MAGIC || bytes.readUInt32LE(4) !== stream) return null;
  const number = bytes.readUInt32LE(8);
  const length = bytes.readUInt32LE(12);
  if (length < HEAD_BYTES || length > bytes.length || length % 4 !== 0) return null;
  const seed = Math.imul(stream, 0x9e3779b1) ^ Math.imul(number, 0x85ebca77);
  for (let word = HEAD_BYTES / 4; word < length / 4; word += 1) {
    const mixed = Math.imul(seed + word, 0xc2b2ae3d);
    const expected = Math.imul((mixed << 13) | (mixed >>> 19), 0x27d4eb2f) >>> 0;
    if (bytes.readUInt32LE(word * 4) !== expected) return null;
  }
  return { number, bytes: length };
}
