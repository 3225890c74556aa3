/** A tree of files that one actor changes, so that its content is known at every instant. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "./random";

const sizes = [0, 1, 100, 4095, 4096, 4097, 70_000, 300_000, 1_000_001] as const;

/** Path and SHA-256, as `manifestOf` gives them. */
export type Manifest = Record<string, string>;

const hash = (content: Buffer) => createHash("sha256").update(content).digest("hex");

export class KnownTree {
  private readonly contents = new Map<string, Buffer>();
  private made = 0;

  constructor(
    readonly directory: string,
    private readonly random: Random,
  ) {}

  /** What the files hold now. */
  get manifest(): Manifest {
    const names = [...this.contents.keys()].sort();
    return Object.fromEntries(names.map((name) => [name, hash(this.contents.get(name) ?? Buffer.alloc(0))]));
  }

  get bytes(): number {
    return [...this.contents.values()].reduce((sum, content) => sum + content.length, 0);
  }

  /** New files, about `bytes` in all. */
  async grow(bytes: number): Promise<void> {
    for (let written = 0; written < bytes; this.made += 1) {
      const content = randomBytes(sizes[this.made % sizes.length] ?? 0);
      const folder = `folder ${this.made % 5}`;
      await mkdir(join(this.directory, folder), { recursive: true });
      const name = join(folder, `datei-ä-${this.made}`);
      await writeFile(join(this.directory, name), content);
      this.contents.set(name, content);
      written += content.length;
    }
  }

  /** Overwrites, truncates and removes some files, and makes others. */
  async change(): Promise<void> {
    const names = this.random.shuffled([...this.contents.keys()]);
    let removed = 0;
    for (const name of names.slice(0, Math.ceil(names.length / 3))) {
      const path = join(this.directory, name);
      const content = this.contents.get(name) ?? Buffer.alloc(0);
      const way = this.random.whole(0, 2);
      if (way === 0) {
        await rm(path);
        this.contents.delete(name);
        removed += content.length;
      } else if (way === 1) {
        const shorter = content.subarray(0, this.random.whole(0, content.length));
        await truncate(path, shorter.length);
        this.contents.set(name, shorter);
        removed += content.length - shorter.length;
      } else {
        this.contents.set(name, await this.overwriteSome(path, content));
      }
    }
    await this.grow(removed);
  }

  private async overwriteSome(path: string, content: Buffer): Promise<Buffer> {
    const changed = Buffer.from(content);
    const at = this.random.whole(0, content.length);
    const fresh = randomBytes(this.random.whole(0, Math.min(20_000, content.length - at)));
    fresh.copy(changed, at);
    const file = await open(path, "r+");
    try {
      await file.write(fresh, 0, fresh.length, at);
    } finally {
      await file.close();
    }
    return changed;
  }
}
