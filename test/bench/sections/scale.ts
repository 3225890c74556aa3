/** Attach, snapshot and release of sparse volumes of 1 GiB to 4 TiB: nothing may grow with the volume but a bitmap. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { makeImage } from "../../fixtures/attached-volume";
import type { Bench, Section } from "../bench";
import { limitRow, median, type Row } from "../figures";
import { residentBytes } from "../resident-memory";
import { type Place, prepare, verifyEngine, withEngine } from "../subjects";

const GIB = 1024 ** 3;
const sizes = [1, 16, 256, 4096].map((gib) => gib * GIB);
const steps = ["attach", "prepare", "activate", "release"] as const;
type Step = (typeof steps)[number];

/** Of a bitmap with a bit for each block of 4 KiB. */
const bitmapMib = (bytes: number) => bytes / 4096 / 8 / 1024 ** 2;

interface Once {
  ms: Record<Step, number>;
  /** What a snapshot, of which nothing is preserved yet, adds to the resident memory. */
  addedMib: number;
}

async function once(place: Place): Promise<Once> {
  let addedMib = Number.NaN;
  const ms: Record<Step, number> = { attach: 0, prepare: 0, activate: 0, release: 0 };
  const timed = async (step: Step, work: () => Promise<unknown>) => {
    const began = performance.now();
    await work();
    ms[step] = performance.now() - began;
  };
  const began = performance.now();
  await withEngine(place, async (attached) => {
    ms.attach = performance.now() - began;
    const { client, pid } = attached;
    const without = await residentBytes(pid);
    await timed("prepare", () => prepare(attached, place, "s1", 16 * 1024 * 1024));
    await timed("activate", () => client.request("activate", { snapshot: "s1" }));
    addedMib = ((await residentBytes(pid)) - without) / 1024 ** 2;
    await timed("release", () => client.request("release", { snapshot: "s1" }));
    await verifyEngine(attached, place, "sparse");
  });
  return { ms, addedMib };
}

async function run(bench: Bench): Promise<Row[]> {
  const found = new Map<string, number[]>();
  await bench.withPlace(async (place) => {
    for (const round of bench.rounds) {
      for (const bytes of sizes) {
        bench.say(`round ${round}: ${bytes / GIB} GiB`);
        const backing = await makeImage(join(place.directory, "sparse.img"), bytes);
        const { ms, addedMib } = await once({ ...place, backing, bytes });
        await rm(backing);
        const keep = (what: string, value: number) => found.set(what, [...(found.get(what) ?? []), value]);
        for (const step of steps) keep(`${step} ${bytes}`, ms[step]);
        keep(`memory ${bytes}`, addedMib);
      }
    }
  });
  const of = (what: Step | "memory", bytes: number) => median(found.get(`${what} ${bytes}`) ?? []);
  const times = steps.flatMap((step) =>
    sizes.map((bytes) => {
      const smallest = bytes === sizes[0] ? null : { name: "1 GiB", value: of(step, sizes[0] ?? 0) };
      return limitRow(`${step}, ${bytes / GIB} GiB sparse`, "ms", of(step, bytes), {}, smallest);
    }),
  );
  const memory = sizes.map((bytes) => {
    const bitmap = { name: "a bit a block", value: bitmapMib(bytes) };
    return limitRow(`memory that a snapshot adds, ${bytes / GIB} GiB sparse`, "MiB", of("memory", bytes), {}, bitmap);
  });
  return [...times, ...memory];
}

export const scale: Section = { name: "scale", what: "attach, snapshot and release of 1 GiB to 4 TiB", run };
