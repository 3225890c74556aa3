import { expect, test as plainly } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot, TRACE_OF_UBLK } from "./rig/boot";
import { hasZeroCopy, KILLS, kernels } from "./rig/kernels";
import { describeOnMachine } from "./rig/on-machine";

const programs = [nativeProgram("stillframe-engine"), "fio", "perl", "mkfs.ext4", "e2fsck"];
const modules = ["virtio_blk", "ublk_drv", "loop"];
const kills = Number(process.env[KILLS] ?? 10);

const common = `
zero_copy_bytes() { call $1 describe '{}' | sed 's/.*"zeroCopyBytes":\\([0-9]*\\).*/\\1/'; }
in_flight() { awk '{ print $1 + $2 }' /sys/block/vda/inflight; }
gone() { echo "left: $(left)"; }
`;

for (const kernel of kernels(["6.18"]))
  await describeOnMachine(`data that goes over ublk without a copy under Linux ${kernel}`, kernel, () => {
    const test = plainly.skipIf(!hasZeroCopy(kernel));
    test(`${kills} engines die while the kernel still writes for them, and nothing lands late`, async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules,
        disksMb: [96],
        // So that what a killed engine had begun is not done when it is gone.
        diskOperationsPerSecond: 40,
        script: `${common}
stillframe-engine attach --id v --backing /dev/vda --run-dir /run/v --threads 4 --transport ublk > /dev/null
verified --filename=/dev/ublkb0 --size=8m --rw=write --bs=512k --iodepth=4
before=$(sha256sum < /dev/ublkb0)
snapshot /run/v s
( while [ ! -e /tmp/enough ]; do
    verified --filename=/dev/ublkb0 --size=4m --rw=randwrite --bsrange=32k-256k --iodepth=16 --verify_backlog=16 || exit 1
  done; echo "every block is what was written last" ) &
load=$!
kills=0
outlived=0
while [ $kills -lt ${kills} ]; do
  kill -0 $load
  usleep $(( RANDOM * 20 ))
  engine=$(serving /run/v)
  kill -9 $engine 2> /dev/null || continue
  kills=$((kills + 1))
  # A process that waits for its parent only has no threads that could write any more.
  while [ -e /proc/$engine/fd/0 ]; do :; done
  [ $(in_flight) -gt 0 ] && outlived=$((outlived + 1))
  while [ "$(serving /run/v)" = $engine ]; do usleep 1000; done
done
touch /tmp/enough
wait $load
echo "writes of $outlived engines outlived them"
echo "without a copy: $(zero_copy_bytes /run/v) bytes"
stillframe-engine export --run-dir /run/v --snapshot s > /dev/null
[ "$(sha256sum < /dev/loop0)" = "$before" ] && echo "the frozen image is as it was"
stillframe-engine unexport --run-dir /run/v --snapshot s > /dev/null
call /run/v release '{"snapshot":"s"}' > /dev/null

fio --name=late --filename=/dev/ublkb0 --size=64m --rw=randwrite --bs=64k --iodepth=32 --ioengine=libaio --direct=1 --thread \\
  --time_based --runtime=600 > /dev/null 2>&1 &
while [ $(in_flight) -lt 4 ]; do usleep 1000; done
stillframe-engine detach --run-dir /run/v --force > /dev/null
echo "after a detach by force $(in_flight) requests are under way"
wait
gone
`,
      });
      expect(output).toContain("every block is what was written last");
      expect(output).toMatch(/writes of [1-9]\d* engines outlived them/);
      expect(output).toMatch(/without a copy: [1-9]\d{6,} bytes/);
      expect(output).toContain("the frozen image is as it was");
      expect(output).toContain("after a detach by force 0 requests are under way");
      expect(output).toMatch(/left: $/m);
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });

    test("what cannot be done at once is copied: holes of an image, and a file system that never promises", async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules,
        disksMb: [160],
        script: `${common}
mkfs.ext4 -q /dev/vda
mount /dev/vda /mnt
truncate -s 96M /mnt/sparse /tmp/memory
stillframe-engine attach --id sparse --backing /mnt/sparse --run-dir /run/sparse --threads 4 --transport ublk > /dev/null
stillframe-engine attach --id memory --backing /tmp/memory --run-dir /run/memory --threads 4 --transport ublk > /dev/null
for device in /dev/ublkb0 /dev/ublkb1; do
  verified --filename=$device --size=32m --rw=randwrite --bsrange=4k-1m --iodepth=8
  # Parts of what the store writes at once, and requests that begin in the middle of a block.
  verified --filename=$device --size=8m --rw=randwrite --bsrange=512-128k --blockalign=512 --iodepth=8
  verified --filename=$device --size=32m --rw=randrw --bsrange=32k-512k --iodepth=8
done
echo "sparse without a copy: $(zero_copy_bytes /run/sparse) bytes"
echo "memory without a copy: $(zero_copy_bytes /run/memory) bytes"
cmp /dev/ublkb0 /mnt/sparse && cmp /dev/ublkb1 /tmp/memory && echo "devices and images are the same"
for volume in sparse memory; do stillframe-engine detach --run-dir /run/$volume > /dev/null; done
umount /mnt
e2fsck -fn /dev/vda > /dev/null
gone
`,
      });
      expect(output).toMatch(/sparse without a copy: [1-9]\d* bytes/);
      expect(output).toMatch(/memory without a copy: \d+ bytes/);
      expect(output).toContain("devices and images are the same");
      expect(output).toMatch(/left: $/m);
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });
  });
