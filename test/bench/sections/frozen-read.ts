/** Reading a frozen image in order, as a backup does, while the live device is written to at random. */
import { mustRun } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../../fixtures/background-program";
import { Cleanup } from "../../fixtures/cleanup";
import { hashOf } from "../../fixtures/device-hash";
import { mustEngineCommand, pause } from "../../fixtures/native-program";
import type { Bench, Section } from "../bench";
import { limitRow, Rounds, type Row, ratioRow } from "../figures";
import { hashOfPeerImage, withPeer } from "../peer";
import { type Place, prepare, withEngine, withLoop } from "../subjects";

/** The same load for all, which all can bear. */
const WRITES_PER_SECOND = 1000;

/** MiB a second of one pass over the image while writes go on; throws where the image is not what it was. */
async function readWhileWriting(
  place: Place,
  live: string,
  image: string,
  reading: { how: string[]; isRight: () => Promise<boolean> },
): Promise<number> {
  const cleanup = new Cleanup();
  try {
    const load = new BackgroundProgram(cleanup, "fio", [
      ...["--name=load", `--filename=${live}`, "--rw=randwrite", "--bs=4k", "--iodepth=4", "--ioengine=libaio"],
      ...[
        "--direct=1",
        "--norandommap",
        "--time_based",
        "--runtime=600",
        "--thread",
        `--rate_iops=${WRITES_PER_SECOND}`,
      ],
      ...["--output-format=terse", "--eta=never"],
    ]);
    await pause(500);
    const began = performance.now();
    await mustRun("dd", [`if=${image}`, "of=/dev/null", "bs=1M", "status=none", ...reading.how]);
    const seconds = (performance.now() - began) / 1000;
    if (!load.running) throw new Error(`fio has ended: ${load.output}`);
    if (!(await reading.isRight())) throw new Error("the frozen image changed");
    return place.bytes / 1024 / 1024 / seconds;
  } finally {
    await cleanup.run();
  }
}

async function ofEngine(place: Place, how: string[]): Promise<number> {
  let rate = Number.NaN;
  const before = await hashOf(place.backing);
  await withEngine(place, async (attached) => {
    const { result, client, runDirectory } = attached;
    await prepare(attached, place, "s1");
    await client.request("activate", { snapshot: "s1" });
    const where = ["--run-dir", runDirectory, "--snapshot", "s1"];
    const image = await mustEngineCommand<{ device: string }>("export", ...where);
    rate = await readWhileWriting(place, result.device, image.device, {
      how,
      isRight: async () => (await hashOf(image.device)) === before,
    });
    await mustEngineCommand("unexport", ...where);
  });
  return rate;
}

async function ofPeer(place: Place, oneAtATime: boolean): Promise<number> {
  let rate = Number.NaN;
  const before = await hashOf(place.backing);
  await withPeer(place, { snapshot: true, over: "fuse", oneAtATime }, (exports) =>
    withLoop(exports.live, async (live) => {
      // Buffered, with readahead, it reads wrong data.
      rate = await readWhileWriting(place, live, exports.frozen, {
        how: ["iflag=direct"],
        isRight: async () => (await hashOfPeerImage(exports.frozen)) === before,
      });
    }),
  );
  return rate;
}

async function run(bench: Bench): Promise<Row[]> {
  const rounds = new Rounds();
  await bench.withPlace(async (place) => {
    for (const round of bench.rounds) {
      bench.say(`round ${round}: reading the frozen image in order`);
      rounds.add("engine", await ofEngine(place, ["iflag=direct"]));
      rounds.add("peer as shipped", await ofPeer(place, false));
      rounds.add("engine, buffered", await ofEngine(place, []));
    }
  });
  const what = `reading the frozen image in order, ${WRITES_PER_SECOND} writes a second meanwhile`;
  return [
    ratioRow(`${what}, direct`, "MiB/s", rounds, ["engine", "peer as shipped"], { atLeast: 2 }),
    limitRow(
      "the same through the page cache, where the peer's data is wrong",
      "MiB/s",
      rounds.median("engine, buffered"),
      {},
    ),
  ];
}

export const frozenRead: Section = {
  name: "frozenread",
  what: "reading a frozen image in order while writes go on, against the peer",
  run,
};
