/** `npm run bench`: the engine against the raw loop device and QEMU's storage daemon, alternating, held to the targets. */
import { writeFile } from "node:fs/promises";
import { cpus, release } from "node:os";
import { interruptible } from "../fixtures/interruption";
import { Bench, type Section } from "./bench";
import { type Row, table } from "./figures";
import { VERIFIED_BLOCKS } from "./fio";
import { helpText, type Options, readOptions } from "./options";
import { activation } from "./sections/activation";
import { dense, firstWrites, limited, nbd, peers } from "./sections/first-writes";
import { freeze } from "./sections/freeze";
import { frozenRead } from "./sections/frozen-read";
import { kill, takeUp } from "./sections/kill";
import { memory } from "./sections/memory";
import { opened } from "./sections/opened";
import { scale } from "./sections/scale";
import { disk, throughput } from "./sections/throughput";

const sections: Section[] = [
  throughput,
  disk,
  peers,
  firstWrites,
  dense,
  limited,
  nbd,
  opened,
  activation,
  freeze,
  frozenRead,
  kill,
  takeUp,
  memory,
  scale,
];

async function main(options: Options, interrupted: AbortSignal): Promise<number> {
  const bench = new Bench(options, interrupted);
  const all: Row[] = [];
  for (const section of sections.filter(({ name }) => options.only.includes(name))) {
    bench.say(`=== ${section.name}: ${section.what}`);
    const rows = await section.run(bench);
    process.stdout.write(`${table(rows)}\n\n`);
    all.push(...rows);
  }
  const peer = await bench.usedPeer;
  const machine = `Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model.trim()}${peer ? `, ${peer.program.version}` : ""}`;
  process.stdout.write(`${machine}\n${options.rounds} rounds: medians, and the median of the ratios within a round.\n`);
  process.stdout.write(
    "After every run data was written and read back; every frozen image was compared with its instant.\n",
  );
  for (const [subject, runs] of bench.damage) {
    const wrong = runs.reduce((sum, run) => sum + run.wrongBlocks, 0);
    const images = runs.filter((run) => !run.imageIsRight).length;
    const of = `of ${runs.length * VERIFIED_BLOCKS} blocks, and ${images} frozen images in ${runs.length} runs`;
    process.stdout.write(`${subject} CORRUPTED ${wrong} ${of}\n`);
  }
  const missed = all.filter(({ met }) => met === false);
  process.stdout.write(`${all.filter(({ met }) => met).length} targets met, ${missed.length} missed\n`);
  const document = {
    at: new Date().toISOString(),
    machine,
    ...options,
    rows: all,
    damage: Object.fromEntries(bench.damage),
  };
  if (options.json !== null) await writeFile(options.json, `${JSON.stringify(document, null, 2)}\n`);
  return 0;
}

let options: Options | null;
try {
  options = readOptions(
    process.argv.slice(2),
    sections.map(({ name }) => name),
  );
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(2);
}
if (options === null) {
  process.stdout.write(helpText(sections));
} else {
  const chosen = options;
  const says = "everything is taken down after what is measured now";
  process.exitCode = await interruptible(says, (interrupted) => main(chosen, interrupted));
}
