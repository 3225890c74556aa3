/** Runs of fio, and the numbers taken from them. */
import { mustRun, runProgram } from "@/server/worker/programs/run-program";
import { BackgroundProgram } from "../fixtures/background-program";
import type { Cleanup } from "../fixtures/cleanup";

export interface Job {
  rw: "randwrite" | "randread" | "write" | "read";
  block: "4k" | "1m";
  depth: number;
  /** So many threads with `depth` each (default 1). */
  threads?: number;
  /** Only this much is read or written, somewhere on the device, no block twice. */
  ioBytes?: number;
  /** Only this much of the device, from its beginning. */
  areaBytes?: number;
  /** It ends after this long; where it is left out, once everything was touched. */
  seconds?: number;
}

export interface Measured {
  /** Thousands a second. */
  kiops: number;
  mibPerSecond: number;
  /**
   * Median time of one request, from before it is submitted. What fio calls its completion time begins after that, when a
   * loop device whose worker ran first has ended it already.
   */
  us: number;
  requests: number;
  /** No block twice, so all of them are distinct. */
  writtenBytes: number;
}

interface FioSide {
  io_bytes: number;
  total_ios: number;
  iops: number;
  bw_bytes: number;
  lat_ns: { percentile?: Record<string, number> };
}

interface FioDocument {
  jobs: { total_err: number; read: FioSide; write: FioSide }[];
}

function documentOf(output: string): FioDocument["jobs"][number] {
  const document = JSON.parse(output.slice(output.indexOf("{\n"), output.lastIndexOf("}") + 1)) as FioDocument;
  const [job] = document.jobs;
  if (job === undefined) throw new Error(`fio reported nothing: ${output}`);
  return job;
}

const writes = ({ rw }: Job) => rw === "write" || rw === "randwrite";

/** `device` is how fio reaches it: a file with its engine, or an address. */
export async function measure(job: Job, device: string[]): Promise<Measured> {
  const limits = [
    ...(job.seconds === undefined ? [] : [`--runtime=${job.seconds}`]),
    ...(job.ioBytes === undefined ? [] : [`--io_size=${job.ioBytes}`]),
    ...(job.areaBytes === undefined ? [] : [`--size=${job.areaBytes}`]),
    ...(job.threads === undefined ? [] : [`--numjobs=${job.threads}`, "--group_reporting"]),
  ];
  const output = await mustRun(
    "fio",
    [
      ...["--name=bench", ...device, `--rw=${job.rw}`, `--bs=${job.block}`, `--iodepth=${job.depth}`, ...limits],
      ...["--thread", "--randrepeat=0", "--lat_percentiles=1", "--output-format=json", "--eta=never"],
    ],
    { timeoutMs: 300_000 },
  );
  const result = documentOf(output);
  const side = writes(job) ? result.write : result.read;
  return {
    kiops: side.iops / 1000,
    mibPerSecond: side.bw_bytes / 1024 / 1024,
    us: (side.lat_ns.percentile?.["50.000000"] ?? Number.NaN) / 1000,
    requests: side.total_ios,
    writtenBytes: result.write.io_bytes,
  };
}

export const VERIFIED_BYTES = 32 * 1024 * 1024;
export const VERIFIED_BLOCKS = VERIFIED_BYTES / 4096;

/** Writes 32 MiB at depth 32, reads them back, and says how many blocks were not what was written. */
export async function wrongBlocks(device: string[]): Promise<number> {
  const { stdout, stderr, exitCode } = await runProgram(
    "fio",
    [
      ...["--name=verify", ...device, "--rw=randwrite", "--bs=4k", "--iodepth=32", `--size=${VERIFIED_BYTES}`],
      ...["--verify=crc32c", "--do_verify=1", "--continue_on_error=verify", "--verify_state_save=0", "--randrepeat=0"],
      ...["--thread", "--output-format=json", "--eta=never"],
    ],
    { timeoutMs: 300_000 },
  );
  const wrong = stdout.includes("{\n") ? documentOf(stdout).total_err : -1;
  if (wrong < 0 || (wrong === 0 && exitCode !== 0))
    throw new Error(`fio ended with ${exitCode}: ${stderr.slice(0, 2000)}`);
  return wrong;
}

/** Random direct writes of 4 KiB, until the cleanup ends them. `more`: the file and further options. */
export function writeAtRandom(cleanup: Cleanup, more: string[]): BackgroundProgram {
  return new BackgroundProgram(cleanup, "fio", [
    ...["--name=load", "--rw=randwrite", "--bs=4k", "--ioengine=libaio", "--direct=1", "--norandommap", ...more],
    ...["--time_based", "--runtime=600", "--thread", "--output-format=terse", "--eta=never"],
  ]);
}
