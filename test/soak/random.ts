/** Randomness that can be repeated: the same seed and name give the same choices, whatever the others do meanwhile. */
import { createHash } from "node:crypto";

export class Random {
  private state: number;

  constructor(
    readonly seed: string,
    name = "",
  ) {
    this.state = createHash("sha256").update(`${seed}/${name}`).digest().readUInt32LE(0);
  }

  /** A stream of its own, for one actor. */
  named(name: string): Random {
    return new Random(this.seed, name);
  }

  /** From 0 to less than 1 (mulberry32). */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both possible. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<const T>(from: readonly [T, ...T[]]): T {
    return from[this.whole(0, from.length - 1)] ?? from[0];
  }

  shuffled<T>(from: readonly T[]): T[] {
    const keyed = from.map((one) => ({ one, key: this.fraction() }));
    return keyed.sort((a, b) => a.key - b.key).map(({ one }) => one);
  }
}
