/** No snapshot: what an attached volume costs against the raw loop device; and the engine's processor time. */
import type { Bench, Result, Section } from "../bench";
import { limitRow, Rounds, type Row, ratioRow, type Target } from "../figures";
import type { Job } from "../fio";
import { withProcessorsAwake } from "../processors-awake";
import { engine, type Place, rawLoop } from "../subjects";

interface Measurement {
  figure: string;
  unit: "us" | "kIOPS" | "MiB/s";
  job: Job;
  target: Target;
  /** Default: they sleep as they like. */
  processors?: "awake";
}

const alone: Measurement[] = (["write", "read"] as const).map((way) => ({
  figure: `4k random ${way}, depth 1`,
  unit: "us",
  job: { rw: `rand${way}`, block: "4k", depth: 1 },
  target: { atMost: 1.7 },
}));

const measurements: Measurement[] = [
  ...alone.map((one) => ({ ...one, figure: `${one.figure}, processors awake`, processors: "awake" as const })),
  ...alone,
  {
    figure: "4k random write, depth 32",
    unit: "kIOPS",
    job: { rw: "randwrite", block: "4k", depth: 32 },
    target: { atLeast: 0.65 },
  },
  {
    figure: "4k random read, depth 32",
    unit: "kIOPS",
    job: { rw: "randread", block: "4k", depth: 32 },
    target: { atLeast: 0.65 },
  },
  { figure: "1M write", unit: "MiB/s", job: { rw: "write", block: "1m", depth: 4 }, target: { atLeast: 0.8 } },
  { figure: "1M read", unit: "MiB/s", job: { rw: "read", block: "1m", depth: 4 }, target: { atLeast: 0.8 } },
];

const figureOf = (result: Result, unit: Measurement["unit"]): number =>
  ({ us: result.us, kIOPS: result.kiops, "MiB/s": result.mibPerSecond })[unit];

async function run(bench: Bench): Promise<Row[]> {
  const rows = await bench.withPlace((place) => compare(bench, place, measurements, 16));
  return rows;
}

/** Every measurement on the raw loop and the engine in turn, and the engine's processor time for a request at depth 32. */
async function compare(bench: Bench, place: Place, chosen: Measurement[], threads: number): Promise<Row[]> {
  const subject = engine("engine", { threads });
  const rounds = new Map(chosen.map(({ figure }) => [figure, new Rounds()]));
  const processor = new Rounds();
  for (const round of bench.rounds) {
    for (const { figure, unit, job, processors } of chosen) {
      bench.say(`round ${round}: ${figure}`);
      for (const one of [rawLoop, subject]) {
        const measure = () => bench.run(one, place, { ...job, seconds: bench.options.seconds });
        const result = await (processors === "awake" ? withProcessorsAwake(measure) : measure());
        rounds.get(figure)?.add(one.name, figureOf(result, unit));
        if (job.depth === 32 && result.processorUs !== null) processor.add(figure, result.processorUs);
      }
    }
  }
  const rows = chosen.map(({ figure, unit, target }) =>
    ratioRow(figure, unit, rounds.get(figure) ?? new Rounds(), [subject.name, rawLoop.name], target),
  );
  for (const figure of processor.values.keys()) {
    rows.push(limitRow(`engine's processor time, ${figure}`, "us", processor.median(figure), { atMost: 8 }));
  }
  return rows;
}

export const throughput: Section = { name: "throughput", what: "no snapshot, against the raw loop device", run };

async function runOnDisk(bench: Bench): Promise<Row[]> {
  const deep = measurements.filter(({ job }) => job.depth === 32 || job.block === "1m");
  const onDisk = deep.map((one) => ({
    ...one,
    figure: `disk, 32 threads: ${one.figure}`,
    target: one.job.depth === 32 ? { atLeast: 0.9 } : {},
  }));
  return bench.withPlace((place) => compare(bench, place, onDisk, 32), bench.options.diskDirectory);
}

export const disk: Section = { name: "disk", what: "the same on a real disk with 32 threads", run: runOnDisk };
