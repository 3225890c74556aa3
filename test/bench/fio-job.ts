/** One run of fio on a device, and the numbers taken from it. */
import { mustRun } from "@/server/worker/programs/run-program";

export interface Job {
  name: string;
  /** What is measured: microseconds of the median operation, thousands of operations a second, or MiB a second. */
  unit: "us" | "kIOPS" | "MiB/s";
  rw: "randwrite" | "randread" | "write" | "read";
  block: string;
  depth: number;
}

export const jobs: Job[] = [
  { name: "4k randwrite qd1", unit: "us", rw: "randwrite", block: "4k", depth: 1 },
  { name: "4k randread qd1", unit: "us", rw: "randread", block: "4k", depth: 1 },
  { name: "4k randwrite qd32", unit: "kIOPS", rw: "randwrite", block: "4k", depth: 32 },
  { name: "4k randread qd32", unit: "kIOPS", rw: "randread", block: "4k", depth: 32 },
  { name: "1M write", unit: "MiB/s", rw: "write", block: "1m", depth: 4 },
  { name: "1M read", unit: "MiB/s", rw: "read", block: "1m", depth: 4 },
];

export const writes = (job: Job): boolean => job.rw === "write" || job.rw === "randwrite";

export interface Measured {
  value: number;
  /** Bytes written; no block twice, so all of them are distinct. */
  writtenBytes: number;
}

interface FioSide {
  io_bytes: number;
  iops: number;
  bw_bytes: number;
  clat_ns: { percentile?: Record<string, number> };
}

/** Runs a job for at most so long; it ends early where each block was touched once. */
export async function measure(job: Job, device: string, seconds: number): Promise<Measured> {
  const output = await mustRun(
    "fio",
    [
      ...["--name=bench", `--filename=${device}`, `--rw=${job.rw}`, `--bs=${job.block}`, `--iodepth=${job.depth}`],
      ...["--ioengine=libaio", "--direct=1", `--runtime=${seconds}`, "--randrepeat=0", "--output-format=json"],
    ],
    { timeoutMs: (seconds + 60) * 1000 },
  );
  const document = JSON.parse(output.slice(output.indexOf("{"))) as { jobs: { read: FioSide; write: FioSide }[] };
  const result = document.jobs[0];
  if (result === undefined) throw new Error(`fio reported nothing: ${output}`);
  const side = writes(job) ? result.write : result.read;
  const values = {
    us: (side.clat_ns.percentile?.["50.000000"] ?? Number.NaN) / 1000,
    kIOPS: side.iops / 1000,
    "MiB/s": side.bw_bytes / 1024 / 1024,
  };
  return { value: values[job.unit], writtenBytes: result.write.io_bytes };
}

/** Writes 64 MiB at depth 32 and reads them back; throws when a byte is not what was written. */
export async function verify(device: string): Promise<void> {
  await mustRun("fio", [
    ...[
      "--name=verify",
      `--filename=${device}`,
      "--rw=randwrite",
      "--bs=4k",
      "--iodepth=32",
      "--size=64m",
      "--direct=1",
    ],
    ...[
      "--ioengine=libaio",
      "--verify=crc32c",
      "--do_verify=1",
      "--verify_fatal=1",
      "--randrepeat=0",
      "--verify_state_save=0",
    ],
  ]);
}
