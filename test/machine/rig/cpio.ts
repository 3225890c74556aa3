/** An initial file system in the format that the kernel unpacks at boot: cpio, "newc". */

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

export interface Entry {
  /** Without a leading slash. */
  path: string;
  /** With the bits of its type. */
  mode: number;
  data: Buffer;
}

export const directory = (path: string): Entry => ({ path, mode: S_IFDIR | 0o755, data: Buffer.alloc(0) });
export const file = (path: string, data: Buffer | string, permissions = 0o644): Entry => ({
  path,
  mode: S_IFREG | permissions,
  data: typeof data === "string" ? Buffer.from(data) : data,
});
export const link = (path: string, target: string): Entry => ({
  path,
  mode: S_IFLNK | 0o777,
  data: Buffer.from(target),
});

/** The directories that lead to the entries are added; the first of two entries with one path stays. */
export function archive(entries: Entry[]): Buffer {
  const all = new Map<string, Entry>();
  for (const entry of entries) {
    const parts = entry.path.split("/");
    for (let n = 1; n < parts.length; n += 1) {
      const parent = parts.slice(0, n).join("/");
      if (!all.has(parent)) all.set(parent, directory(parent));
    }
    if (!all.has(entry.path)) all.set(entry.path, entry);
  }
  const pieces = [...all.values()].flatMap((entry, index) => pack(entry, index + 1));
  return Buffer.concat([...pieces, ...pack({ path: "TRAILER!!!", mode: 0, data: Buffer.alloc(0) }, 0)]);
}

function pack({ path, mode, data }: Entry, inode: number): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

const padding = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4);
