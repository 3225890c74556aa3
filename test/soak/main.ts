/** `npm run soak`: volumes under load, snapshots, full caches and killed engines at random, until the time is over. */

import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIB, smallestBytes } from "../fixtures/attached-volume";
import { onInterruption } from "../fixtures/interruption";
import { Interrupted, Life, type World } from "./life";
import { help, type Kind, kinds, type Options, readOptions } from "./options";
import { Random } from "./random";
import { progressLine, type Summary, summarise, summaryText } from "./summary";
import { Difference, Tally } from "./tally";

const PROGRESS_MS = 10_000;
const say = (line: string) => void process.stderr.write(`${line}\n`);

async function soak(options: Options): Promise<Summary> {
  const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const directory = await mkdtemp(join(parent, "stillframe-soak-"));
  const tally = new Tally(say);
  const until = Date.now() + options.minutes * 60_000;
  const world: World = { directory, tally, killEveryMs: options.killEveryMs, until, interrupted: false };
  const interrupt = (signal: string) => {
    if (!world.interrupted) say(`${signal}: taking everything down`);
    world.interrupted = true;
  };
  onInterruption(interrupt);
  say(`seed ${options.seed}: --seed ${options.seed} repeats these choices`);
  const progress = setInterval(() => say(progressLine(tally)), PROGRESS_MS);
  try {
    await Promise.all(options.kinds.map((kind) => actor(world, options, kind)));
  } finally {
    clearInterval(progress);
    await rm(directory, { recursive: true, force: true });
  }
  return summarise(tally, options.seed, world.interrupted);
}

/** One volume after the other of one kind. A life that fails is over; the next begins with a new volume. */
async function actor(world: World, options: Options, kind: Kind): Promise<void> {
  const { tally } = world;
  const least = kind === "raw" ? 0 : smallestBytes[kind];
  const random = new Random(options.seed, kind);
  for (let n = 1; Date.now() < world.until && !world.interrupted && !tally.hopeless; n += 1) {
    // In turn, and not all kinds on the same.
    const store = options.stores[(n + kinds.indexOf(kind)) % options.stores.length] ?? "memory";
    const life = new Life(world, kind, store, Math.max(options.mib * MIB, least), random, `${kind}-${n}`);
    try {
      await life.run(random.whole(1, 3));
    } catch (error) {
      if (error instanceof Interrupted) return;
      const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
      tally.fail(error instanceof Difference ? error.comparison : null, `${kind} volume ${n}: ${told}`);
    }
  }
}

let options: Options | null;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  say(`${error instanceof Error ? error.message : error}\n\n${help}`);
  process.exit(2);
}
if (options === null) {
  process.stdout.write(help);
} else {
  const summary = await soak(options);
  process.stdout.write(`${summaryText(summary)}\n`);
  if (options.json !== null) await writeFile(options.json, `${JSON.stringify(summary, null, 2)}\n`);
  if (summary.interrupted) process.exit(130);
  process.exit(summary.errors.length === 0 ? 0 : 1);
}
