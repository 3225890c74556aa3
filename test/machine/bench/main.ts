/**
 * `npm run bench:machine`: ublk, FUSE + loop and the bare loop device, in a virtual machine whose kernel has ublk.
 *
 * An emulated processor is some twenty times slower than a real one and not evenly so: only ratios within this machine mean
 * something, and each is the median of the ratios of interleaved rounds. After the rounds each subject's data is verified.
 */
import { parseArgs } from "node:util";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot } from "../rig/boot";
import { median } from "./median";

const subjects = ["loop", "fuse_loop", "ublk"] as const;
type Subject = (typeof subjects)[number];

const loads = {
  "random write 4 KiB, depth 32": "--rw=randwrite --bs=4k --iodepth=32",
  "random read 4 KiB, depth 32": "--rw=randread --bs=4k --iodepth=32",
  "random write 4 KiB, depth 1": "--rw=randwrite --bs=4k --iodepth=1",
  "sequential write 1 MiB, depth 8": "--rw=write --bs=1m --iodepth=8",
  "sequential read 1 MiB, depth 8": "--rw=read --bs=1m --iodepth=8",
} as const;
type Load = keyof typeof loads;

function script(rounds: number, seconds: number): string {
  const runs = Object.values(loads).map(
    (load, index) => `
for subject in $order; do
  fio --name=run --filename=$(cat /tmp/$subject.device) --size=96m --ioengine=libaio --direct=1 --thread --norandommap \\
    --randrepeat=0 --time_based --runtime=${seconds} ${load} --output-format=terse --terse-version=3 > /tmp/out
  echo "figure $subject ${index} $(cut -d';' -f8 /tmp/out) $(cut -d';' -f49 /tmp/out)"
done`,
  );
  return `
for subject in ${subjects.join(" ")}; do dd if=/dev/urandom of=/tmp/$subject bs=1M count=96 2> /dev/null; done
/bin/losetup --direct-io=on /dev/loop7 /tmp/loop
echo /dev/loop7 > /tmp/loop.device
for subject in fuse_loop ublk; do
  stillframe-engine attach --id $subject --backing /tmp/$subject --run-dir /run/$subject --transport $subject \\
    | sed 's/.*"device":"\\([^"]*\\)".*/\\1/' > /tmp/$subject.device
done
for round in $(seq ${rounds}); do
  case $((round % 3)) in
    0) order="loop ublk fuse_loop" ;;
    1) order="ublk fuse_loop loop" ;;
    2) order="fuse_loop loop ublk" ;;
  esac
${runs.join("\n")}
done
for subject in ${subjects.join(" ")}; do
  verified --filename=$(cat /tmp/$subject.device) --size=16m --rw=randwrite --bs=4k --iodepth=32
done
echo "all verified"
`;
}

/** Requests a second of one load, by subject, in the order of the rounds. */
function figures(output: string, load: number): Record<Subject, number[]> {
  const of = (subject: Subject) =>
    [...output.matchAll(new RegExp(`^figure ${subject} ${load} (\\d+) (\\d+)$`, "gm"))].map(
      ([, reads, writes]) => Number(reads) + Number(writes),
    );
  return { loop: of("loop"), fuse_loop: of("fuse_loop"), ublk: of("ublk") };
}

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, seconds: { type: "string", default: "2" } },
});
const rounds = Number(values.rounds);
const { output } = await mustBoot({
  kernel: "6.12",
  programs: [nativeProgram("stillframe-engine"), "fio", "losetup"],
  modules: ["loop", "ublk_drv"],
  script: script(rounds, Number(values.seconds)),
  memoryMb: 1536,
  timeoutMs: 3_600_000,
});
if (!output.includes("all verified")) throw new Error(output);
const header = ["load", "loop /s", "fuse_loop /s", "ublk /s", "ublk : loop", "ublk : fuse_loop"];
const rows = (Object.keys(loads) as Load[]).map((load, index) => {
  const all = figures(output, index);
  const ratio = (to: Subject) =>
    median(all.ublk.map((rate, round) => rate / (all[to][round] ?? Number.NaN))).toFixed(2);
  return [load, ...subjects.map((subject) => median(all[subject]).toFixed(0)), ratio("loop"), ratio("fuse_loop")];
});
for (const row of [header, ...rows]) {
  process.stdout.write(`${row.map((cell, column) => (column === 0 ? cell.padEnd(34) : cell.padStart(17))).join("")}\n`);
}
process.stdout.write(`medians of ${rounds} interleaved rounds in an emulated machine; all data verified\n`);
