/**
 * `npm run bench:machine`: ublk, FUSE + loop and the bare loop device, in a virtual machine whose kernel has ublk.
 *
 * An emulated processor is some twenty times slower than a real one and not evenly so: only ratios within this machine mean
 * something, and each is the median of the ratios of interleaved rounds. After the rounds each subject's data is verified.
 *
 * Backing stores are RAM disks: block devices, as on servers, which let the kernel move data without a copy.
 */
import { parseArgs } from "node:util";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot } from "../rig/boot";
import { median } from "./median";

const subjects = ["loop", "fuse_loop", "ublk_copying", "ublk"] as const;
type Subject = (typeof subjects)[number];
const SIZE_MIB = 96;

const loads = {
  "random write 4 KiB, depth 32": "--rw=randwrite --bs=4k --iodepth=32",
  "random read 4 KiB, depth 32": "--rw=randread --bs=4k --iodepth=32",
  "random write 4 KiB, depth 1": "--rw=randwrite --bs=4k --iodepth=1",
  "random write 16 KiB, depth 16": "--rw=randwrite --bs=16k --iodepth=16",
  "random write 64 KiB, depth 8": "--rw=randwrite --bs=64k --iodepth=8",
  "random read 64 KiB, depth 8": "--rw=randread --bs=64k --iodepth=8",
  "sequential write 1 MiB, depth 8": "--rw=write --bs=1m --iodepth=8",
  "sequential read 1 MiB, depth 8": "--rw=read --bs=1m --iodepth=8",
} as const;
type Load = keyof typeof loads;

/** Those whose engine can be killed; around each kill they are read at depth 32. */
const killed = ["fuse_loop", "ublk"] as const;

const READ_SECONDS = 3;

function script(rounds: number, seconds: number, kills: number): string {
  const runs = Object.values(loads).map(
    (load, index) => `
for subject in $order; do
  fio --name=run --filename=$(cat /tmp/$subject.device) --size=${SIZE_MIB}m --ioengine=libaio --direct=1 --thread --norandommap \\
    --randrepeat=0 --time_based --runtime=${seconds} ${load} --output-format=terse --terse-version=3 > /tmp/out
  echo "figure $subject ${index} $(cut -d';' -f8 /tmp/out) $(cut -d';' -f49 /tmp/out)"
done`,
  );
  return `
rmmod brd
insmod /modules/brd.ko rd_nr=${subjects.length} rd_size=${SIZE_MIB * 1024}
number=0
for subject in ${subjects.join(" ")}; do
  mv /dev/ram$number /dev/$subject
  dd if=/dev/urandom of=/dev/$subject bs=1M count=${SIZE_MIB} 2> /dev/null
  number=$((number + 1))
done
/bin/losetup --direct-io=on /dev/loop7 /dev/loop
echo /dev/loop7 > /tmp/loop.device
attach() {
  stillframe-engine attach --id $1 --backing /dev/$1 --run-dir /run/$1 --transport $2 --zero-copy $3 \\
    | device_of > /tmp/$1.device
}
attach fuse_loop fuse_loop off
attach ublk_copying ublk off
attach ublk ublk auto
for round in $(seq ${rounds}); do
  case $((round % 4)) in
    0) order="loop ublk ublk_copying fuse_loop" ;;
    1) order="ublk fuse_loop loop ublk_copying" ;;
    2) order="fuse_loop ublk_copying ublk loop" ;;
    3) order="ublk_copying loop fuse_loop ublk" ;;
  esac
${runs.join("\n")}
done
for subject in ${subjects.join(" ")}; do
  verified --filename=$(cat /tmp/$subject.device) --size=16m --rw=randwrite --bs=4k --iodepth=32
done
for kill in $(seq ${kills}); do
  for subject in ${killed.join(" ")}; do
    fio --name=run --filename=$(cat /tmp/$subject.device) --size=${SIZE_MIB}m --ioengine=libaio --direct=1 --thread --norandommap \\
      --randrepeat=0 --time_based --runtime=${READ_SECONDS} --rw=randread --bs=4k --iodepth=32 \\
      --output-format=terse --terse-version=3 > /tmp/out &
    load=$!
    sleep ${READ_SECONDS - 2}
    kill -9 $(serving /run/$subject)
    wait $load
    echo "pause $subject $(cut -d';' -f15 /tmp/out)"
  done
done
[ $(call /run/ublk describe '{}' | sed 's/.*"zeroCopyBytes":\\([0-9]*\\).*/\\1/') -gt 0 ]
[ $(call /run/ublk_copying describe '{}' | sed 's/.*"zeroCopyBytes":\\([0-9]*\\).*/\\1/') = 0 ]
echo "all verified"
`;
}

/** Requests a second of one load, by subject, in the order of the rounds. */
function figures(output: string, load: number): Record<Subject, number[]> {
  const of = (subject: Subject) =>
    [...output.matchAll(new RegExp(`^figure ${subject} ${load} (\\d+) (\\d+)$`, "gm"))].map(
      ([, reads, writes]) => Number(reads) + Number(writes),
    );
  return {
    loop: of("loop"),
    fuse_loop: of("fuse_loop"),
    ublk_copying: of("ublk_copying"),
    ublk: of("ublk"),
  };
}

/** Milliseconds that the slowest request around each kill took. */
function pauses(output: string, subject: (typeof killed)[number]): number[] {
  return [...output.matchAll(new RegExp(`^pause ${subject} ([\\d.]+)$`, "gm"))].map(([, us]) => Number(us) / 1000);
}

const others = ["loop", "fuse_loop", "ublk_copying"] as const;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    kills: { type: "string", default: "10" },
  },
});
const rounds = Number(values.rounds);
const { output } = await mustBoot({
  kernel: "6.18",
  programs: [nativeProgram("stillframe-engine"), "fio", "losetup", "perl"],
  modules: ["loop", "ublk_drv", "brd"],
  script: script(rounds, Number(values.seconds), Number(values.kills)),
  memoryMb: 1536,
  timeoutMs: 3_600_000,
});
if (!output.includes("all verified")) throw new Error(output);
const header = ["load", ...subjects.map((name) => `${name} /s`), ...others.map((name) => `ublk : ${name}`)];
const rows = (Object.keys(loads) as Load[]).map((load, index) => {
  const all = figures(output, index);
  const ratio = (to: Subject) =>
    median(all.ublk.map((rate, round) => rate / (all[to][round] ?? Number.NaN))).toFixed(2);
  return [load, ...subjects.map((subject) => median(all[subject]).toFixed(0)), ...others.map(ratio)];
});
for (const row of [header, ...rows]) {
  process.stdout.write(`${row.map((cell, column) => (column === 0 ? cell.padEnd(34) : cell.padStart(21))).join("")}\n`);
}
const byFuse = pauses(output, "fuse_loop");
const byUblk = pauses(output, "ublk");
process.stdout.write(
  `slowest 4 KiB read around a kill -9, depth 32, median and longest of ${values.kills}: ` +
    `fuse_loop ${median(byFuse).toFixed(0)}, ${Math.max(...byFuse).toFixed(0)} ms, ` +
    `ublk ${median(byUblk).toFixed(0)}, ${Math.max(...byUblk).toFixed(0)} ms, ` +
    `ublk : fuse_loop ${(median(byUblk) / median(byFuse)).toFixed(2)}\n`,
);
process.stdout.write(`medians of ${rounds} interleaved rounds in an emulated machine; all data verified\n`);
