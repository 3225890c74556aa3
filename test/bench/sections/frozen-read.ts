/** Reading a frozen image in order, as a backup does, while the live device is written to at random. */
import { mustRun } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../../fixtures/background-program";
import { Cleanup } from "../../fixtures/cleanup";
import { hashOf } from "../../fixtures/device-hash";
import { mustEngineCommand, pause } from "../../fixtures/native-program";
import type { Bench, Section } from "../bench";
import { limitRow, Rounds, type Row, ratioRow } from "../figures";
import { hashOfPeerImage, withPeer } from "../peer";
import { type Peer, type Place, prepare, withEngine, withLoop } from "../subjects";

const DIRECT = ["iflag=direct"];

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

async function ofPeer({ program }: Peer, place: Place, how: { tuned?: true; buffered?: true }): Promise<number> {
  let rate = Number.NaN;
  const before = await hashOf(place.backing);
  const { buffered, ...settings } = how;
  await withPeer(program, place, { snapshot: true, over: "fuse", ...settings }, ({ live, frozen }) =>
    withLoop(live, async (device) => {
      const read = async (image: string, options: string[], hash: (image: string) => Promise<string>) => {
        const isRight = async () => (await hash(image)) === before;
        rate = await readWhileWriting(place, device, image, { how: options, isRight });
      };
      // Nothing of its file is kept in the page cache; of a loop device it is, as the engine's image is one.
      if (buffered) await withLoop(frozen, (image) => read(image, [], hashOf), "--read-only");
      else await read(frozen, DIRECT, hashOfPeerImage);
    }),
  );
  return rate;
}

async function run(bench: Bench): Promise<Row[]> {
  const rounds = new Rounds();
  const peer = await bench.peer();
  await bench.withPlace(async (place) => {
    for (const round of bench.rounds) {
      bench.say(`round ${round}: reading the frozen image in order`);
      rounds.add("engine", await ofEngine(place, DIRECT));
      rounds.add("peer as shipped", await ofPeer(peer, place, {}));
      rounds.add("peer tuned", await ofPeer(peer, place, { tuned: true }));
      rounds.add("engine, buffered", await ofEngine(place, []));
      // Read ahead, the image of one that corrupts is wrong.
      if (peer.corrupts) continue;
      rounds.add("peer as shipped, buffered", await ofPeer(peer, place, { buffered: true }));
      rounds.add("peer tuned, buffered", await ofPeer(peer, place, { tuned: true, buffered: true }));
    }
  });
  const what = `reading the frozen image in order, ${WRITES_PER_SECOND} writes a second meanwhile`;
  const buffered = "the same through the page cache";
  const ours = "engine, buffered";
  const read = (other: string) => ratioRow(buffered, "MiB/s", rounds, [ours, `${other}, buffered`], {});
  return [
    ratioRow(`${what}, direct`, "MiB/s", rounds, ["engine", "peer as shipped"], { atLeast: 2 }),
    ratioRow(`${what}, direct`, "MiB/s", rounds, ["engine", "peer tuned"], {}),
    ...(peer.corrupts
      ? [limitRow(`${buffered}, where the peer's data is wrong`, "MiB/s", rounds.median(ours), {})]
      : [read("peer as shipped"), read("peer tuned")]),
  ];
}

export const frozenRead: Section = {
  name: "frozenread",
  what: "reading a frozen image in order while writes go on, against the peer",
  run,
};
