/** A disk that cannot read in one place, and not write in another: what a volume on it tells, and what it costs. */
import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot } from "./rig/boot";
import { kernels } from "./rig/kernels";
import { describeOnMachine } from "./rig/on-machine";

/** Of 4 KiB, as all that follows counts. */
const BLOCKS = 4096;
const BAD_BLOCKS = 16;
const UNREADABLE = 2064;
const UNWRITABLE = 3088;

const sectors = (blocks: number) => blocks * 8;

/** One line of the device mapper's table. */
function stretch(from: number, to: number, feature?: string): string {
  const head = `${sectors(from)} ${sectors(to - from)}`;
  const store = `/dev/loop0 ${sectors(from)}`;
  return feature === undefined ? `${head} linear ${store}` : `${head} flakey ${store} 0 1 1 ${feature}`;
}

const table = [
  stretch(0, UNREADABLE),
  stretch(UNREADABLE, UNREADABLE + BAD_BLOCKS, "error_reads"),
  stretch(UNREADABLE + BAD_BLOCKS, UNWRITABLE),
  stretch(UNWRITABLE, UNWRITABLE + BAD_BLOCKS, "error_writes"),
  stretch(UNWRITABLE + BAD_BLOCKS, BLOCKS),
].join("\n");
const repaired = stretch(0, BLOCKS);

/** `from FIRST COUNT [FILE]` and `to FIRST COUNT` say how a direct request of these blocks of the live device ends. */
const script = (transport: string) => `
dd if=/dev/urandom of=/tmp/disk bs=1M count=16 2> /dev/null
cp /tmp/disk /tmp/as-it-was
losetup /dev/loop0 /tmp/disk
dmsetup create failing < /table
live=$(stillframe-engine attach --id v --backing /dev/dm-0 --run-dir /run/v --transport ${transport} | device_of)
told() { sed -n 's/^dd: .*: //p' /tmp/told | head -n 1; }
was() { dd if=/tmp/as-it-was bs=$2k skip=$(($1 * 4 / $2)) count=1 2> /dev/null; }
from() {
  dd if=\${3:-$live} bs=$2k skip=$(($1 * 4 / $2)) count=1 iflag=direct 2> /tmp/told > /tmp/read || { told; return; }
  was $1 $2 | cmp -s - /tmp/read && echo "as it was" || echo changed
}
to() { dd if=/dev/urandom of=$live bs=$2k seek=$(($1 * 4 / $2)) count=1 oflag=direct conv=notrunc$3 2> /tmp/told && echo done || told; }
field() { call /run/v describe '{}' | grep -o '"'$1'":"[a-z_]*"' | cut -d'"' -f4; }
state() { field state; }
echo "transport: $(field transport)"

for size in 4 64; do
  echo "read, $size KiB: $(from ${UNREADABLE} $size)"
  echo "read before, $size KiB: $(from ${UNREADABLE - BAD_BLOCKS} $size)"
  echo "read behind, $size KiB: $(from ${UNREADABLE + BAD_BLOCKS} $size)"
  echo "write, $size KiB: $(to ${UNWRITABLE} $size)"
done
echo "read across: $(from ${UNREADABLE - BAD_BLOCKS} 128)"
echo "flush: $(to 0 4 ,fsync)"

cp /tmp/disk /tmp/as-it-was
snapshot /run/v s
frozen=$(image /run/v s)
for size in 4 64; do
  echo "write under a snapshot, $size KiB: $(to ${UNWRITABLE} $size)"
  echo "write before it, $size KiB: $(to ${UNWRITABLE - BAD_BLOCKS} $size)"
  echo "write behind it, $size KiB: $(to ${UNWRITABLE + BAD_BLOCKS} $size)"
  echo "image of what cannot be read, $size KiB: $(from ${UNREADABLE} $size $frozen)"
  echo "image of what cannot be written, $size KiB: $(from ${UNWRITABLE} $size $frozen)"
  echo "image of what was written, $size KiB: $(from ${UNWRITABLE + BAD_BLOCKS} $size $frozen)"
done
echo "live: $(from ${UNWRITABLE + BAD_BLOCKS} 64)"
echo "the snapshot: $(state)"
kill -9 $(serving /run/v)
echo "image after a kill: $(from ${UNWRITABLE + BAD_BLOCKS} 64 $frozen)"
echo "the snapshot after it: $(state)"

echo "write to what cannot be read: $(to ${UNREADABLE} 64)"
echo "the snapshot after that: $(state)"
echo "because: $(call /run/v describe '{}' | grep -o 'could not be read at byte [0-9]*')"
echo "its image: $(from ${UNWRITABLE + BAD_BLOCKS} 4 $frozen)"

dmsetup suspend failing
dmsetup reload failing --table "${repaired}"
dmsetup resume failing
stillframe-engine unexport --run-dir /run/v --snapshot s > /dev/null
call /run/v release '{"snapshot":"s"}' > /dev/null
cmp $live /tmp/disk && echo "device and disk: the same"
stillframe-engine detach --run-dir /run/v > /dev/null
dmsetup remove failing
losetup -d /dev/loop0
echo "left: $(left)"
`;

for (const kernel of kernels(["6.18"]))
  await describeOnMachine(`a volume on a disk that fails in places under Linux ${kernel}`, kernel, () => {
    test.each(["ublk", "fuse_loop"])(
      "passes its errors on over %s, and loses a snapshot only with data",
      async (transport) => {
        const { output } = await mustBoot({
          kernel,
          programs: [nativeProgram("stillframe-engine"), "perl", "losetup", "dmsetup"],
          modules: ["ublk_drv", "loop", "fuse", "dm-mod", "dm-flakey"],
          files: { "/table": `${table}\n` },
          script: script(transport),
        });
        const lines = output.split("\n").filter((line) => line.includes(": "));
        const said = Object.fromEntries(lines.map((line) => line.split(": ", 2)));
        const failed = "Input/output error";
        const inBoth = (what: Record<string, string>) =>
          Object.entries(what).flatMap(([key, value]) => [4, 64].map((size) => [`${key}, ${size} KiB`, value]));
        expect(said).toMatchObject({
          ...Object.fromEntries(
            inBoth({
              read: failed,
              "read before": "as it was",
              "read behind": "as it was",
              write: failed,
              "write under a snapshot": failed,
              "write before it": "done",
              "write behind it": "done",
              "image of what cannot be read": failed,
              "image of what cannot be written": "as it was",
              "image of what was written": "as it was",
            }),
          ),
          transport,
          "read across": failed,
          flush: failed,
          live: "changed",
          "the snapshot": "active",
          "image after a kill": "as it was",
          "the snapshot after it": "active",
          "write to what cannot be read": "done",
          "the snapshot after that": "damaged",
          because: `could not be read at byte ${UNREADABLE * 4096}`,
          "its image": failed,
          "device and disk": "the same",
          left: "",
        });
      },
    );
  });
