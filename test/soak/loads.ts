/** The loads of a soak: all that fio writes is verified; what else changes a volume runs beside it. */
import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { BackgroundProgram } from "../fixtures/background-program";
import type { Cleanup } from "../fixtures/cleanup";
import { endVerifying } from "../fixtures/load";
import { pause } from "../fixtures/native-program";
import { Difference } from "./tally";

/** With --time_based fio writes a block again while it is in flight; no device promises the order of such writes. */
const verified = [
  ...["--verify=crc32c", "--verify_fatal=1", "--verify_backlog=512", "--verify_state_save=0", "--serialize_overlap=1"],
  ...["--rw=randwrite", "--randrepeat=0", "--refill_buffers", "--end_fsync=1", "--time_based", "--runtime=86400"],
  ...["--output-format=json", "--eta=never", "--thread", "--ioengine=libaio"],
];

interface FioDocument {
  jobs: { jobname: string; error: number; read: { io_bytes: number }; write: { io_bytes: number } }[];
}

/** A run of fio that writes and verifies until it is finished. */
export class VerifiedLoad {
  readonly program: BackgroundProgram;

  constructor(cleanup: Cleanup, args: string[]) {
    this.program = new BackgroundProgram(cleanup, "fio", args);
  }

  /** Throws what fio said if it has ended already: it does so by itself only on an error. */
  mustRun(): void {
    if (this.program.running) return;
    throw new Difference("verifiedWrites", `fio has ended: ${withoutReport(this.program.output)}`);
  }

  /** Lets it verify what is left, and end. How many bytes it has verified; throws on any error of it. */
  async finish(): Promise<number> {
    this.mustRun();
    const { output, exitCode, signal } = await endVerifying(this.program);
    const start = output.indexOf("{\n");
    if (start < 0) throw new Error(`fio ended with ${exitCode ?? signal} and reported nothing: ${output}`);
    const { jobs } = JSON.parse(output.slice(start, output.lastIndexOf("}") + 1)) as FioDocument;
    const failed = jobs.filter((job) => job.error !== 0);
    if (failed.length > 0)
      throw new Error(`fio: ${JSON.stringify(failed.map((job) => job.jobname))} failed: ${output}`);
    return jobs.reduce((sum, job) => sum + job.read.io_bytes, 0);
  }
}

/** What fio complained of, without its long document of figures. */
function withoutReport(output: string): string {
  const start = output.indexOf("{\n");
  return (start < 0 ? output : output.slice(0, start) + output.slice(output.lastIndexOf("}") + 1)).trim();
}

/** Several depths and sizes, one with an fsync after each write. Takes 44 MiB. */
export function fileLoad(cleanup: Cleanup, directory: string): VerifiedLoad {
  return new VerifiedLoad(cleanup, [
    ...[`--directory=${directory}`, ...verified],
    ...["--name=deep", "--bs=4k", "--iodepth=16", "--direct=1", "--size=12m", "--rate=6m"],
    ...["--name=mixed", "--bsrange=4k-256k", "--iodepth=4", "--direct=1", "--size=12m", "--rate=8m"],
    ...["--name=fsync", "--bs=4k", "--iodepth=1", "--fsync=1", "--size=4m", "--rate=1m"],
    ...["--name=large", "--bs=1m", "--iodepth=2", "--direct=1", "--size=16m", "--rate=8m"],
  ]);
}

/** The same on the first half of a device. */
export function deviceLoad(cleanup: Cleanup, device: string, bytes: number): VerifiedLoad {
  const eighth = bytes / 8;
  const at = (part: number) => [`--offset=${part * eighth}`, `--size=${eighth}`];
  return new VerifiedLoad(cleanup, [
    ...[`--filename=${device}`, "--direct=1", ...verified],
    ...["--name=deep", "--bs=4k", "--iodepth=16", "--rate=6m", ...at(0)],
    ...["--name=mixed", "--bsrange=4k-256k", "--iodepth=4", "--rate=8m", ...at(1)],
    ...["--name=large", "--bs=1m", "--iodepth=2", "--rate=8m", ...at(2)],
    ...["--name=small", "--bs=4k", "--iodepth=1", "--rate=2m", ...at(3)],
  ]);
}

/** Writes of a sector to 1 MiB at any sector on the third quarter of a device, which nobody verifies. */
export function unalignedLoad(cleanup: Cleanup, device: string, bytes: number, sector: number): BackgroundProgram {
  return new BackgroundProgram(cleanup, "fio", [
    ...["--name=unaligned", `--filename=${device}`, `--offset=${bytes / 2}`, `--size=${bytes / 4}`, "--rw=randwrite"],
    ...["--ioengine=libaio", "--direct=1", "--iodepth=8", `--bsrange=${sector}-1m`, `--blockalign=${sector}`],
    ...["--norandommap", "--randrepeat=0", "--time_based", "--runtime=86400", "--refill_buffers", "--rate=,10m,"],
    ...["--output-format=terse", "--eta=never", "--thread"],
  ]);
}

/**
 * Runs a command that discards. A loop device over tmpfs, which cannot zero in place, offers no more discards that read as
 * zeroes once it was asked to; the live device above it offers none from then on.
 */
const tryToDiscard = `try() { local said; said=$("$@" 2>&1) || [[ $said == *"not supported"* ]] || { echo "$said" >&2; return 1; }; }`;

/** Discards and zeroes ranges of the last quarter of a device. */
export function discardLoad(cleanup: Cleanup, device: string, bytes: number): BackgroundProgram {
  const blocks = bytes / 4 / 4096;
  const script = `set -e; ${tryToDiscard}
  while :; do
    at=$(( ${bytes - bytes / 4} + (RANDOM * 32768 + RANDOM) % (${blocks} - 64) * 4096 ))
    try blkdiscard -o $at -l $(( (RANDOM % 64 + 1) * 4096 )) "$1"
    blkdiscard -z -o $at -l 4096 "$1"
    dd if=/dev/urandom of="$1" bs=4k count=$(( RANDOM % 64 + 1 )) seek=$((at / 4096)) oflag=direct conv=notrunc status=none
    sleep 0.05
  done`;
  return new BackgroundProgram(cleanup, "bash", ["-c", script, "discard-load", device]);
}

/** Makes, punches and deletes files, and trims: what moves free space. */
export function allocationLoad(cleanup: Cleanup, directory: string, reflinks: boolean): BackgroundProgram {
  const clone = reflinks ? "cp --reflink=always new-$n clone-$((n % 4))" : ":";
  const script = `set -e; ${tryToDiscard}
  mkdir -p "$1"; cd "$1"; rm -f *
  for (( n = 0; ; n++ )); do
    dd if=/dev/urandom of=new-$n bs=64k count=$((n % 16 + 1)) status=none
    fallocate --punch-hole --offset $(( n % 7 * 4096 + 512 )) --length 20000 new-$n
    ${clone}
    if (( n >= 8 )); then rm new-$((n - 8)); fi
    if (( n % 5 == 0 )); then try fstrim "$1"; fi
    sync -f "$1"
    sleep 0.05
  done`;
  return new BackgroundProgram(cleanup, "bash", ["-c", script, "allocation-load", directory]);
}

/** Stops programs in mid-air and waits until no write of theirs is on its way to the device. */
export async function hold(programs: BackgroundProgram[], device: string): Promise<void> {
  for (const { pid } of programs) process.kill(-pid, "SIGSTOP");
  for (let quiet = 0; quiet < 3; ) {
    await pause(2);
    const still = (await Promise.all(programs.map(({ pid }) => groupStandsStill(pid)))).every(Boolean);
    quiet = still && (await writesInFlight(device)) === 0 ? quiet + 1 : 0;
  }
}

export function resume(programs: BackgroundProgram[]): void {
  for (const { pid, running } of programs) if (running) process.kill(-pid, "SIGCONT");
}

async function writesInFlight(device: string): Promise<number> {
  const text = await readFile(`/sys/block/${basename(device)}/inflight`, "utf8");
  return Number(text.trim().split(/\s+/)[1]);
}

/** Whether every thread of every process in the group is stopped. */
async function groupStandsStill(group: number): Promise<boolean> {
  const fields = (stat: string) => stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const stat = fields(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""));
    if (Number(stat[2]) !== group) continue;
    for (const task of await readdir(`/proc/${pid}/task`).catch(() => [])) {
      const [state = "X"] = fields(await readFile(`/proc/${pid}/task/${task}/stat`, "utf8").catch(() => ""));
      if (!"TtZX".includes(state)) return false;
    }
  }
  return true;
}
