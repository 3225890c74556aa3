import { parseArgs } from "node:util";

export const help = `Usage: npm run soak -- [options]

Volumes live under verified loads: snapshots are taken, compared and released, caches run full, and engines are killed,
all at random, until the time is over. Needs root. Exit status: 0 no error, 1 an error, 2 wrong usage, 130 interrupted.

  --minutes N      how long (default 10)
  --seed TEXT      repeats the choices of a run that printed this seed
  --kill-every MS  mean time between two kills of one volume's engine (default 700; 0: no kills)
  --size MIB       size of the raw volume; the file systems are at least as large (default 64)
  --kinds LIST     which volumes live, of ext4,xfs,raw (default all)
  --stores LIST    what they rest in, of memory,device: an image in memory, or a block device, whose reads and writes go on
                   behind the engine's threads (default both, in turn)
  --json FILE      also write the counts there, as one JSON document
`;

export const kinds = ["ext4", "xfs", "raw"] as const;
export type Kind = (typeof kinds)[number];
const stores = ["memory", "device"] as const;
export type Store = (typeof stores)[number];

export interface Options {
  minutes: number;
  seed: string;
  killEveryMs: number;
  mib: number;
  kinds: Kind[];
  stores: Store[];
  json: string | null;
}

/** Null where help was asked for; throws a sentence for a person. */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string", default: "10" },
      seed: { type: "string", default: Date.now().toString(36) },
      "kill-every": { type: "string", default: "700" },
      size: { type: "string", default: "64" },
      kinds: { type: "string", default: kinds.join(",") },
      stores: { type: "string", default: stores.join(",") },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  const number = (name: string, text: string, least: number) => {
    const value = Number(text);
    if (!Number.isFinite(value) || value < least) throw new Error(`--${name} must be a number from ${least} on`);
    return value;
  };
  const some = <const T extends string>(name: string, text: string, of: readonly T[]): T[] => {
    const chosen = of.filter((one) => text.split(",").includes(one));
    if (chosen.length !== text.split(",").length) throw new Error(`--${name} must be some of ${of.join(",")}`);
    return chosen;
  };
  return {
    minutes: number("minutes", values.minutes, 0.1),
    seed: values.seed,
    killEveryMs: number("kill-every", values["kill-every"], 0),
    mib: Math.ceil(number("size", values.size, 32)),
    kinds: some("kinds", values.kinds, kinds),
    stores: some("stores", values.stores, stores),
    json: values.json ?? null,
  };
}
