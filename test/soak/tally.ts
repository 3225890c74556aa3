/** What a soak has done and found so far. */

/** Every kind of comparison that a soak makes; each is one test of the stage `soak`. */
export const comparisons = {
  verifiedWrites: "every byte that a load wrote is read back",
  imageIsInstant: "a frozen image equals the backing store of its instant",
  imageUnchanged: "a frozen image is later what it was first",
  nbdImage: "a frozen image has the same bytes over NBD, also when its connections break",
  nbdWrites: "what an NBD client wrote to the live volume is there, also when its connections break",
  changedBlocks: "every block in which two frozen images differ is told as changed",
  imageTree: "a mounted image holds the files of its instant",
  imageSound: "a frozen image's file system is sound",
  liveTree: "the live volume holds every file that was stored",
  liveSound: "the live volume's file system is sound",
  backingStore: "after a detach the backing store equals the live device",
  killed: "after a kill another engine serves, and no load saw an error",
  overflow: "a cache that cannot grow costs its snapshot, and no write",
  cachesGone: "no cache file outlives the last snapshot",
} as const;
export type Comparison = keyof typeof comparisons;

/** So many errors end a soak: what follows them says nothing new. */
const MOST_ERRORS = 10;

export class Tally {
  readonly started = Date.now();
  readonly made = new Map<Comparison, number>();
  readonly errors: { comparison: Comparison | null; text: string }[] = [];
  /** Milliseconds from each kill to the first answer of the next engine. */
  readonly pausesMs: number[] = [];
  /** Of engines that served or had just begun to. */
  kills = 0;
  standbyKills = 0;
  keeperKills = 0;
  snapshots = 0;
  lives = 0;
  verifiedBytes = 0;
  /** Between pairs of frozen images: what was told as changed, and how much of that differs. */
  readonly changes = { toldBlocks: 0, differingBlocks: 0 };
  nbdWrites = 0;

  constructor(private readonly say: (line: string) => void) {}

  add(comparison: Comparison, bytes = 0): void {
    this.made.set(comparison, (this.made.get(comparison) ?? 0) + 1);
    this.verifiedBytes += bytes;
  }

  count(comparison: Comparison): number {
    return this.made.get(comparison) ?? 0;
  }

  fail(comparison: Comparison | null, text: string): void {
    this.errors.push({ comparison, text });
    this.say(`ERROR ${text}`);
  }

  get hopeless(): boolean {
    return this.errors.length >= MOST_ERRORS;
  }
}

/** A comparison that found a difference. */
export class Difference extends Error {
  override name = "Difference";
  constructor(
    readonly comparison: Comparison,
    text: string,
  ) {
    super(`${comparisons[comparison]}: NOT SO. ${text}`);
  }
}
