/** Writes under an open snapshot: the first ones to each block, which preserve it, sparse and dense, against the peer. */
import type { Bench, Section } from "../bench";
import { limitRow, Rounds, type Row, ratioRow, type Target } from "../figures";
import type { Job } from "../fio";
import { engine, type Place, peer, peerByFuse, rawLoop, type Subject } from "../subjects";

const ours = engine("engine", { snapshot: "first" });
const oursNbd = engine("engine over NBD", { snapshot: "first", over: "nbd" });
const oursNbdPlain = engine("engine over NBD", { over: "nbd" });
const oursPlain = engine("engine");

const randomWrites: Job = { rw: "randwrite", block: "4k", depth: 32 };

interface Series {
  kiops: Rounds;
  /** Cache bytes for each byte written, all distinct. */
  cachePerByte: Rounds;
}

async function alternate(bench: Bench, place: Place, what: string, subjects: Subject[], job: Job): Promise<Series> {
  const series: Series = { kiops: new Rounds(), cachePerByte: new Rounds() };
  for (const round of bench.rounds) {
    for (const subject of subjects) {
      bench.say(`round ${round}: ${what}, ${subject.name}`);
      const result = await bench.run(subject, place, job);
      series.kiops.add(subject.name, result.kiops);
      if (result.cacheBytes !== null) series.cachePerByte.add(subject.name, result.cacheBytes / result.writtenBytes);
    }
  }
  return series;
}

/** Ours against each of the others, with what each may be held to. */
function rows(figure: string, { kiops }: Series, subject: Subject, others: [Subject, Target][]): Row[] {
  return others.map(([other, target]) => ratioRow(figure, "kIOPS", kiops, [subject.name, other.name], target));
}

function cacheRow(figure: string, { cachePerByte }: Series, subject: Subject, other: Subject): Row {
  const theirs = { name: other.name, value: cachePerByte.median(other.name) };
  return limitRow(figure, "bytes", cachePerByte.median(subject.name), { atMost: 1.01 }, theirs);
}

/** So few of the blocks that hardly two lie in one cluster of the peer. */
const sparseJob = (bench: Bench): Job => ({
  ...randomWrites,
  ioBytes: bench.options.bytes / 16,
  seconds: bench.options.seconds,
});

async function runFirstWrites(bench: Bench): Promise<Row[]> {
  const { shipped, tuned, correct } = peerByFuse(await bench.peer(), true);
  const madeCorrect = correct === null ? [] : [correct];
  return bench.withPlace(async (place) => {
    const sparse = await alternate(
      bench,
      place,
      "first writes, sparse",
      [rawLoop, ours, shipped, tuned, ...madeCorrect],
      sparseJob(bench),
    );
    const all: [Subject, Target][] = [
      [shipped, { atLeast: 10 }],
      [tuned, {}],
      ...madeCorrect.map((other): [Subject, Target] => [other, { atLeast: 30 }]),
      [rawLoop, { atLeast: 0.5 }],
    ];
    return [
      ...rows("first writes, sparse", sparse, ours, all),
      cacheRow("cache bytes for a byte changed, sparse", sparse, ours, shipped),
    ];
  });
}

export const firstWrites: Section = {
  name: "firstwrites",
  what: "first writes under a snapshot, sparse, against the peer; cache bytes",
  run: runFirstWrites,
};

async function runDense(bench: Bench): Promise<Row[]> {
  const { shipped, tuned } = peerByFuse(await bench.peer(), true);
  return bench.withPlace(async (place) => {
    const areaBytes = Math.min(512 * 1024 * 1024, bench.options.bytes / 2);
    const what = `first writes, dense ${areaBytes / 1024 / 1024} MiB`;
    const dense = await alternate(bench, place, what, [rawLoop, ours, shipped, tuned], { ...randomWrites, areaBytes });
    return [
      ...rows(what, dense, ours, [
        [shipped, { atLeast: 4 }],
        [tuned, {}],
        [rawLoop, {}],
      ]),
      cacheRow("cache bytes for a byte changed, dense", dense, ours, shipped),
    ];
  });
}

export const dense: Section = {
  name: "dense",
  what: "first writes to every block of an area, against the peer",
  run: runDense,
};

/** The number that the general-purpose volumes of clouds come with lies between half and twice this. */
const WRITES_PER_SECOND = 6000;

async function runLimited(bench: Bench): Promise<Row[]> {
  const limit = { writesPerSecond: WRITES_PER_SECOND };
  const first = engine("engine", { snapshot: "first", threads: 32, ...limit });
  const plain = engine("no snapshot", { threads: 32, ...limit });
  return bench.withPlace(async (place) => {
    const what = `a disk of ${WRITES_PER_SECOND} writes a second, first writes, depth 32`;
    const job: Job = { ...randomWrites, ioBytes: bench.options.bytes / 16, seconds: bench.options.seconds };
    const series = await alternate(bench, place, what, [plain, first], job);
    return rows(what, series, first, [[plain, {}]]);
  }, bench.options.diskDirectory);
}

export const limited: Section = {
  name: "limited",
  what: "first writes on a disk that does only so many a second, cache on the same, against plain writes",
  run: runLimited,
};

async function runPeers(bench: Bench): Promise<Row[]> {
  const { shipped, tuned, correct } = peerByFuse(await bench.peer(), false);
  const theirs = [shipped, tuned, ...(correct === null ? [] : [correct])];
  return bench.withPlace(async (place) => {
    const found: Row[] = [];
    for (const rw of ["randwrite", "randread"] as const) {
      const job: Job = { ...randomWrites, rw, seconds: bench.options.seconds };
      const what = `no snapshot, 4k ${rw === "randwrite" ? "write" : "read"}, depth 32`;
      const series = await alternate(bench, place, what, [oursPlain, ...theirs], job);
      found.push(
        ...rows(
          what,
          series,
          oursPlain,
          theirs.map((other) => [other, {}]),
        ),
      );
    }
    return found;
  });
}

export const peers: Section = { name: "peers", what: "no snapshot, against the peer's FUSE export", run: runPeers };

async function runNbd(bench: Bench): Promise<Row[]> {
  const them = await bench.peer();
  const peerNbdPlain = peer("peer over NBD", them, { snapshot: false, over: "nbd", tuned: true });
  const peerNbd = peer("peer over NBD", them, { snapshot: true, over: "nbd", tuned: true });
  return bench.withPlace(async (place) => {
    const found: Row[] = [];
    for (const rw of ["randwrite", "randread"] as const) {
      const job: Job = { ...randomWrites, rw, seconds: bench.options.seconds };
      const what = `NBD, no snapshot, 4k ${rw === "randwrite" ? "write" : "read"}, depth 32`;
      const series = await alternate(bench, place, what, [oursNbdPlain, peerNbdPlain], job);
      found.push(...rows(what, series, oursNbdPlain, [[peerNbdPlain, {}]]));
    }
    const what = "NBD, first writes, sparse";
    const sparse = await alternate(bench, place, what, [oursNbd, peerNbd], sparseJob(bench));
    return [
      ...found,
      ...rows(what, sparse, oursNbd, [[peerNbd, {}]]),
      cacheRow("NBD, cache bytes for a byte changed", sparse, oursNbd, peerNbd),
    ];
  });
}

export const nbd: Section = { name: "nbd", what: "engine and peer over NBD, both by fio's client", run: runNbd };
