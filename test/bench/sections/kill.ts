/** `kill -9` of the engine: how long a device stands still under load, and with a full cache to take up. */
import { EngineClient } from "@/server/worker/engine/client";
import { mustRun } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../../fixtures/background-program";
import { Cleanup } from "../../fixtures/cleanup";
import { hashOf } from "../../fixtures/device-hash";
import { childrenOf, keeperOf, servingEngine } from "../../fixtures/engine-process";
import { KillProbe } from "../../fixtures/kill-probe";
import { pause } from "../../fixtures/native-program";
import type { Bench, Section } from "../bench";
import { limitRow, median, quantile, type Row } from "../figures";
import { type Attached, mustBeFrozen, type Place, prepare, withEngine } from "../subjects";

const KILLS = 50;
const IDLE_KILLS = 12;
/** Time for the next engine to get ready to take over. */
const BETWEEN_MS = 400;

/** Milliseconds from each kill to the first block that the next engine answers. */
async function pauses({ result, runDirectory }: Attached, times: number): Promise<number[]> {
  const probe = new KillProbe(result.device);
  const ms: number[] = [];
  try {
    for (let kill = 1; kill <= times; kill += 1) {
      await pause(BETWEEN_MS * (0.75 + Math.random() / 2));
      const pid = await servingEngine(runDirectory);
      await untilOneStandsBy(runDirectory, pid);
      ms.push(await probe.kill(pid));
    }
  } finally {
    await probe.stop();
  }
  return ms;
}

async function untilOneStandsBy(runDirectory: string, serving: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (childrenOf(keeperOf(runDirectory)).some((pid) => pid !== serving)) return;
    await pause(10);
  }
}

interface Situation {
  /** Of the load, which has 32 requests in flight in all. */
  threads: number;
  /** Whether one is open, whose cache grows all the time: the next engine has to take it up. */
  snapshot: boolean;
  /** Volume and cache lie on it: the next engine waits until what the killed one had begun there has ended. */
  disk?: true;
}

const situations: Situation[] = [
  { threads: 1, snapshot: false },
  { threads: 16, snapshot: false },
  { threads: 16, snapshot: true },
  { threads: 16, snapshot: true, disk: true },
];

/** A verified load, which must end without an error; an open snapshot's image must be what it was. */
async function underLoad(attached: Attached, place: Place, { threads, snapshot }: Situation): Promise<number[]> {
  const cleanup = new Cleanup();
  try {
    const before = snapshot ? await hashOf(place.backing) : "";
    if (snapshot) {
      await prepare(attached, place, "s1");
      await attached.client.request("activate", { snapshot: "s1" });
    }
    const load = new BackgroundProgram(cleanup, "fio", [
      ...["--name=load", `--filename=${attached.result.device}`, "--rw=randwrite", "--bs=4k", "--ioengine=libaio"],
      ...[`--iodepth=${32 / threads}`, `--numjobs=${threads}`, `--size=${place.bytes / threads}`, "--direct=1"],
      ...[
        `--offset_increment=${place.bytes / threads}`,
        "--time_based",
        "--runtime=600",
        "--thread",
        "--group_reporting",
      ],
      ...["--verify=crc32c", "--verify_fatal=1", "--verify_backlog=1024", "--verify_state_save=0"],
      ...["--serialize_overlap=1", "--randrepeat=0", "--output-format=normal", "--eta=never"],
    ]);
    await pause(1000);
    const ms = await pauses(attached, KILLS);
    process.kill(load.pid, "SIGINT"); // it verifies what is left and ends
    const { output } = await load.ended;
    if (!/err= 0/.test(output) || /err= *[1-9]/.test(output)) throw new Error(`fio: ${output}`);
    if (snapshot) await mustBeFrozen(attached.runDirectory, "s1", before);
    return ms;
  } finally {
    await cleanup.run();
  }
}

async function run(bench: Bench): Promise<Row[]> {
  const { directory, diskDirectory } = bench.options;
  const rows: Row[] = [];
  for (const where of [directory, diskDirectory]) {
    const there = situations.filter(({ disk }) => (disk === true) === (where === diskDirectory));
    await bench.withPlace(async (place) => {
      for (const situation of there) rows.push(...(await measure(bench, place, situation)));
    }, where);
  }
  return rows;
}

async function measure(bench: Bench, place: Place, situation: Situation): Promise<Row[]> {
  const { threads, snapshot, disk } = situation;
  const how = `${snapshot ? ", snapshot open" : ""}${disk ? ", on a disk" : ""}`;
  const what = `pause of a kill -9, ${KILLS} kills, load of ${threads} threads${how}`;
  bench.say(what);
  let ms: number[] = [];
  await withEngine(place, async (attached) => {
    ms = await underLoad(attached, place, situation);
  });
  return [
    limitRow(`${what}, median`, "ms", median(ms), { atMost: 20 }),
    limitRow(`${what}, longest`, "ms", quantile(ms, 1), { atMost: 250 }),
  ];
}

export const kill: Section = { name: "kill", what: "kill -9 under load: how long the device stands still", run };

async function runTakeUp(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  await bench.withPlace((place) =>
    withEngine(place, async (attached) => {
      const { client, result } = attached;
      const without = await pauses(attached, IDLE_KILLS);
      client.close(); // its engine is gone
      const taken = { ...attached, client: await EngineClient.open(result.socket) };
      const before = await hashOf(place.backing);
      await prepare(taken, place, "s1");
      await taken.client.request("activate", { snapshot: "s1" });
      const fill = ["if=/dev/zero", `of=${result.device}`, "bs=4M", `count=${place.bytes / 4 / 1024 / 1024}`];
      await mustRun("dd", [...fill, "oflag=direct", "status=none"]);
      const full = await pauses(taken, IDLE_KILLS);
      taken.client.close();
      await mustBeFrozen(taken.runDirectory, "s1", before);
      const what = `taking up a cache of ${place.bytes / 1024 / 1024} MiB after a kill`;
      const empty = { name: "without a cache", value: median(without) };
      rows.push(limitRow(`${what}, median`, "ms", median(full), { atMost: 100 }, empty));
      rows.push(limitRow(`${what}, longest of ${IDLE_KILLS}`, "ms", quantile(full, 1), {}));
    }),
  );
  return rows;
}

export const takeUp: Section = { name: "takeup", what: "taking up a full cache after a kill", run: runTakeUp };
