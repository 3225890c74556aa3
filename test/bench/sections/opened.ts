/** A snapshot is open, but a write has nothing to preserve: every block was preserved, or was free when it was taken. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { makeFileSystem, unmount } from "../../fixtures/attached-volume";
import { freezeGroup } from "../../fixtures/freeze-program";
import type { Bench, Section } from "../bench";
import { limitRow, Rounds, type Row, ratioRow } from "../figures";
import { type Job, measure, wrongBlocks } from "../fio";
import { engine, type Place, prepare, withEngine } from "../subjects";

const plain = engine("engine without snapshot");
const preserved = engine("engine", { snapshot: "preserved" });

async function run(bench: Bench): Promise<Row[]> {
  return bench.withPlace(async (place) => {
    const rounds = new Rounds();
    const free = new Rounds();
    const cache: number[] = [];
    const job: Job = { rw: "randwrite", block: "4k", depth: 32, seconds: bench.options.seconds };
    for (const round of bench.rounds) {
      for (const subject of [plain, preserved]) {
        bench.say(`round ${round}: ${subject.name}, 4k random write`);
        rounds.add(subject.name, (await bench.run(subject, place, job)).kiops);
      }
      for (const snapshot of [false, true]) {
        const name = snapshot ? "engine" : plain.name;
        bench.say(`round ${round}: ${name}, 4k random write to blocks that were free`);
        const result = await toFreeBlocks(place, job, snapshot);
        free.add(name, result.kiops);
        if (snapshot) cache.push(result.cachePerByte);
      }
    }
    return [
      ratioRow("snapshot open, blocks preserved already", "kIOPS", rounds, ["engine", plain.name], { atLeast: 0.95 }),
      ratioRow("snapshot open, blocks free at its instant", "kIOPS", free, ["engine", plain.name], { atLeast: 0.95 }),
      limitRow("cache bytes for a byte written to free blocks", "bytes", Math.max(...cache), { atMost: 0.01 }),
    ];
  });
}

/** Fills a new file on an ext4 after the snapshot and overwrites it; the file system's own blocks alone may be preserved. */
async function toFreeBlocks(
  place: Place,
  job: Job,
  snapshot: boolean,
): Promise<{ kiops: number; cachePerByte: number }> {
  let found = { kiops: Number.NaN, cachePerByte: Number.NaN };
  await withEngine(place, async (attached) => {
    const { result, client } = attached;
    const at = join(place.directory, "mnt");
    await mkdir(at, { recursive: true });
    // Nothing is left for the kernel to initialise meanwhile: inode tables are in use, and would be preserved.
    await makeFileSystem(result.device, "ext4", ["-E", "lazy_itable_init=0,lazy_journal_init=0"]);
    await mustRun("mount", [result.device, at]);
    try {
      if (snapshot) {
        await prepare(attached, place, "s1");
        const volumes = [{ name: "bench", mount: at, socket: result.socket, snapshot: "s1" }];
        const { report, stderr } = await freezeGroup({ volumes });
        if (report?.ok !== true) throw new Error(`not taken: ${JSON.stringify(report)} ${stderr}`);
      }
      const file = join(at, "new");
      const bytes = place.bytes / 2;
      const fill = ["if=/dev/zero", `of=${file}`, "bs=4M", `count=${bytes / 4 / 1024 / 1024}`, "oflag=direct"];
      await mustRun("dd", [...fill, "conv=fsync", "status=none"]);
      const device = [`--filename=${file}`, "--ioengine=libaio", "--direct=1", `--size=${bytes}`, "--overwrite=1"];
      const cacheBytes = async () => (await client.request("describe", {})).cache.usedBytes;
      const before = await cacheBytes();
      const { kiops, writtenBytes } = await measure(job, device);
      found = { kiops, cachePerByte: ((await cacheBytes()) - before) / writtenBytes };
      const wrong = await wrongBlocks(device.slice(0, 3));
      if (wrong > 0) throw new Error(`${wrong} blocks are wrong`);
    } finally {
      await unmount(at);
    }
  });
  return found;
}

export const opened: Section = { name: "opened", what: "a snapshot is open, but nothing is left to preserve", run };
