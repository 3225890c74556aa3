/** Writers of both sorts: those whose paths are ignored never rest; the others write now and then, and say when. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { MIB } from "../../fixtures/attached-volume";
import { BackgroundProgram } from "../../fixtures/background-program";
import type { Cleanup } from "../../fixtures/cleanup";
import { pause } from "../../fixtures/native-program";
import type { Random } from "../random";
import type { ForeignWrite, Way } from "./claims";

const FILE_BYTES = MIB;
const BLOCK = 4096;
const fioFile = (file: string) => [
  `--filename=${file}`,
  "--bs=4k",
  `--size=${FILE_BYTES}`,
  "--overwrite=1",
  "--thread",
];

/** A file with all its blocks on the device. */
async function lay(file: string): Promise<void> {
  await mustRun("xfs_io", ["-f", "-c", `pwrite -q -b 64k 0 ${FILE_BYTES}`, "-c", "fsync", file]);
}

/** All that programs do with their files: append, shorten, overwrite, rotate by another name; past the cache and mapped as well. */
export async function writeIgnored(cleanup: Cleanup, directory: string): Promise<BackgroundProgram[]> {
  await mkdir(directory);
  const steps = [
    'echo "line $n" >> app.log; sync -d app.log',
    "dd if=/dev/zero of=db bs=4k count=1 seek=$((n % 50)) conv=notrunc,fsync status=none",
    "[ $((n % 4)) = 0 ] && : > app.log",
    "[ $((n % 5)) = 0 ] && mv app.log app.log.1 && : > app.log",
    // Seldom: whose a directory was that is gone is not always known, and then there is no window.
    "[ $((n % 200)) = 0 ] && mkdir -p a/b && mv db a/b/db && rm -rf a",
  ];
  const script = `cd "$1" && n=0 && while :; do n=$((n+1)); ${steps.join("; ")}; sleep 0.02; done`;
  const programs = [new BackgroundProgram(cleanup, "/bin/sh", ["-c", script, "writer", directory])];
  for (const how of [
    ["--ioengine=libaio", "--direct=1"],
    ["--ioengine=mmap", "--fsync=4"],
  ]) {
    const file = join(directory, `table${programs.length}`);
    await lay(file);
    const ever = ["--name=ignored", "--rw=randwrite", "--time_based", "--runtime=1d", "--rate_iops=40"];
    programs.push(new BackgroundProgram(cleanup, "fio", [...ever, ...fioFile(file), ...how]));
  }
  return programs;
}

/** What one write is, as `xfs_io` makes it. */
const commands: Record<Exclude<Way, "asynchronous">, (at: number) => string[]> = {
  buffered: (at) => ["-c", `pwrite -q ${at} ${BLOCK}`, "-c", "fdatasync"],
  unsynced: (at) => ["-c", `pwrite -q ${at} ${BLOCK}`],
  direct: (at) => ["-d", "-c", `pwrite -q ${at} ${BLOCK}`],
  mapped: (at) => ["-c", `mmap -w 0 ${FILE_BYTES}`, "-c", `mwrite ${at} ${BLOCK}`, "-c", `msync -s ${at} ${BLOCK}`],
};

export interface ForeignWriter {
  volume: string;
  way: Way;
  /** A file of its own. */
  file: string;
  random: Random;
  meanRestMs: number;
}

/** Until the signal; an engine that is killed meanwhile only makes a write take longer. */
export async function writeForeign(
  { volume, way, file, random, meanRestMs }: ForeignWriter & { way: Exclude<Way, "asynchronous"> },
  stop: AbortSignal,
): Promise<ForeignWrite[]> {
  const writes: ForeignWrite[] = [];
  await lay(file);
  while (!stop.aborted) {
    await pause(random.whole(0, 2 * meanRestMs));
    const at = random.whole(0, FILE_BYTES / BLOCK - 1) * BLOCK;
    const begun = Date.now();
    await mustRun("xfs_io", [...commands[way](at), file]);
    writes.push({ volume, way, begun, ended: Date.now() });
  }
  return writes;
}

/** For so long, by fio, which notes each write as it ends; `notes`: where. */
export async function writeAsynchronously(
  cleanup: Cleanup,
  { volume, way, file, random, meanRestMs }: ForeignWriter,
  notes: string,
  seconds: number,
): Promise<() => Promise<ForeignWrite[]>> {
  await lay(file);
  const pace = [`--thinktime=${meanRestMs}ms`];
  const noting = [`--write_lat_log=${notes}`, "--log_unix_epoch=1", `--randseed=${random.whole(1, 1e9)}`];
  const how = ["--name=foreign", "--rw=randwrite", "--ioengine=libaio", "--direct=1"];
  const time = ["--time_based", `--runtime=${seconds}`];
  const program = new BackgroundProgram(cleanup, "fio", [...how, ...fioFile(file), ...pace, ...noting, ...time]);
  return async () => {
    await program.mustSucceed();
    const lines = (await readFile(`${notes}_lat.1.log`, "utf8")).trim().split("\n");
    return lines.map((line) => {
      const [ended = 0, nanoseconds = 0] = line.split(",").map(Number);
      return { volume, way, begun: ended - nanoseconds / 1e6, ended };
    });
  };
}
