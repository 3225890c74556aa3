/**
 * `npm run bench:dm-snapshot`: the kernel's own copy-on-write beside the engine's, in a virtual machine whose kernel has it.
 *
 * Each round takes a snapshot of a volume with random contents, overwrites distinct blocks of 4 KiB all over it, asks how
 * much room the pre-images take, reads the frozen image in order and holds its hash against that of the moment of the
 * snapshot. Speeds mean something only as ratios within this emulated machine; bytes and hashes mean what they say.
 */
import { parseArgs } from "node:util";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot } from "../rig/boot";
import { median } from "./median";

const VOLUME_MIB = 96;
const CHANGED_MIB = 16;
const SECTOR_BYTES = 512;

const subjects = {
  /** LVM's default chunk. */
  dm4k: "dm-snapshot, 4 KiB chunks",
  dm64k: "dm-snapshot, 64 KiB chunks",
  fuse_loop: "engine, FUSE + loop",
  ublk: "engine, ublk",
} as const;
type Subject = keyof typeof subjects;
const names = Object.keys(subjects) as Subject[];

/** Two loop devices of a device-mapper subject: its origin and its exception store. */
const loops = { dm4k: [10, 11], dm64k: [12, 13] } as const;
const chunkSectors = { dm4k: 8, dm64k: 128 } as const;
const isDeviceMapper = (subject: Subject) => subject === "dm4k" || subject === "dm64k";

function setUp(subject: Subject): string {
  const image = `dd if=/dev/urandom of=/tmp/${subject} bs=1M count=${VOLUME_MIB} 2> /dev/null`;
  if (subject === "dm4k" || subject === "dm64k") {
    const [origin] = loops[subject];
    return `${image}
/bin/losetup --direct-io=on /dev/loop${origin} /tmp/${subject}
dmsetup create ${subject} --table "0 ${VOLUME_MIB * 2048} snapshot-origin /dev/loop${origin}"
echo /dev/mapper/${subject} > /tmp/${subject}.device`;
  }
  return `${image}
stillframe-engine attach --id ${subject} --backing /tmp/${subject} --run-dir /run/${subject} --transport ${subject} \\
  | device_of > /tmp/${subject}.device
mkdir -m 700 /tmp/${subject}.cache`;
}

/** Leaves the frozen image's device in `frozen`. */
function takeSnapshot(subject: Subject): string {
  if (subject === "dm4k" || subject === "dm64k") {
    const [origin, store] = loops[subject];
    return `
truncate -s ${VOLUME_MIB * 2}M /tmp/${subject}.store
/bin/losetup --direct-io=on /dev/loop${store} /tmp/${subject}.store
dmsetup suspend ${subject}
dmsetup create ${subject}-snapshot \\
  --table "0 ${VOLUME_MIB * 2048} snapshot /dev/loop${origin} /dev/loop${store} P ${chunkSectors[subject]}"
dmsetup resume ${subject}
frozen=/dev/mapper/${subject}-snapshot`;
  }
  const cache = `{"directory":"/tmp/${subject}.cache","initialBytes":4194304,"maxBytes":268435456}`;
  return `
call /run/${subject} prepare '{"snapshot":"s","cache":${cache},"whenFull":"release","holdMs":0,"skipFreeBlocks":false}' > /dev/null
call /run/${subject} activate '{"snapshot":"s"}' > /dev/null
frozen=$(image /run/${subject} s)`;
}

/** Prints the room that pre-images take, in bytes. */
function cacheBytes(subject: Subject): string {
  return isDeviceMapper(subject)
    ? `$(( $(dmsetup status ${subject}-snapshot | sed 's/.* \\([0-9]*\\)\\/.*/\\1/') * ${SECTOR_BYTES} ))`
    : `$(call /run/${subject} describe '{}' | sed 's/.*"cacheUsedBytes":\\([0-9]*\\).*/\\1/')`;
}

function release(subject: Subject): string {
  if (subject === "dm4k" || subject === "dm64k") {
    return `
dmsetup remove ${subject}-snapshot
losetup -d /dev/loop${loops[subject][1]}
rm /tmp/${subject}.store`;
  }
  return `
stillframe-engine unexport --run-dir /run/${subject} --snapshot s > /dev/null
call /run/${subject} release '{"snapshot":"s"}' > /dev/null`;
}

function round(subject: Subject): string {
  return `
before=$(sha256sum < /tmp/${subject})
${takeSnapshot(subject)}
fio --name=run --filename=$(cat /tmp/${subject}.device) --size=${VOLUME_MIB}m --io_size=${CHANGED_MIB}m --rw=randwrite --bs=4k \\
  --iodepth=32 --ioengine=libaio --direct=1 --thread --randrepeat=0 --output-format=terse --terse-version=3 > /tmp/out
writes=$(cut -d';' -f49 /tmp/out)
cache=${cacheBytes(subject)}
fio --name=read --filename=$frozen --readonly --rw=read --bs=1m --iodepth=1 --ioengine=psync --direct=1 --thread \\
  --output-format=terse --terse-version=3 > /tmp/out
echo "figure ${subject} $writes $cache $(cut -d';' -f7 /tmp/out)"
[ "$(sha256sum < $frozen)" = "$before" ] || { echo "the frozen image of ${subject} changed"; exit 1; }
${release(subject)}`;
}

function script(rounds: number): string {
  const turns = Array.from({ length: rounds }, (_, turn) => names.map((_, n) => names[(n + turn) % names.length]));
  return `

# No udev here: nodes by the library itself.
export DM_DISABLE_UDEV=1
${names.map(setUp).join("\n")}
${turns
  .flat()
  .map((subject) => (subject === undefined ? "" : round(subject)))
  .join("\n")}
echo "all compared"
`;
}

interface Figure {
  writes: number;
  cacheBytes: number;
  readKib: number;
}

function figuresOf(output: string, subject: Subject): Figure[] {
  return [...output.matchAll(new RegExp(`^figure ${subject} (\\d+) (\\d+) (\\d+)$`, "gm"))].map(
    ([, writes, cache, read]) => ({ writes: Number(writes), cacheBytes: Number(cache), readKib: Number(read) }),
  );
}

const { values } = parseArgs({ options: { rounds: { type: "string", default: "4" } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50)
  throw new Error(`--rounds is 1 to 50, not ${values.rounds}`);
const { output } = await mustBoot({
  kernel: "6.12",
  programs: [nativeProgram("stillframe-engine"), "fio", "losetup", "dmsetup", "perl"],
  modules: ["loop", "ublk_drv", "dm_snapshot"],
  script: script(rounds),
  memoryMb: 2048,
  timeoutMs: 3_600_000,
});
if (!output.includes("all compared")) throw new Error(output);
const base = figuresOf(output, "dm4k");
const header = ["", "first writes /s", "to dm 4 KiB", "cache : changed", "frozen MiB/s", "to dm 4 KiB"];
const rows = names.map((subject) => {
  const all = figuresOf(output, subject);
  const ratio = (of: (figure: Figure) => number) =>
    median(all.map((figure, turn) => of(figure) / of(base[turn] ?? figure))).toFixed(2);
  const changed = CHANGED_MIB * 1024 * 1024;
  return [
    subjects[subject],
    median(all.map((f) => f.writes)).toFixed(0),
    ratio((f) => f.writes),
    median(all.map((f) => f.cacheBytes / changed)).toFixed(3),
    median(all.map((f) => f.readKib / 1024)).toFixed(1),
    ratio((f) => f.readKib),
  ];
});
for (const row of [header, ...rows]) {
  process.stdout.write(`${row.map((cell, column) => (column === 0 ? cell.padEnd(28) : cell.padStart(17))).join("")}\n`);
}
process.stdout.write(
  `medians of ${rounds} rounds in turn in an emulated machine; every frozen image was as it had been\n`,
);
