import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot } from "./rig/boot";
import { describeOnMachine } from "./rig/on-machine";

const KERNEL = "6.18";

await describeOnMachine(`a machine without free memory, Linux ${KERNEL}`, KERNEL, () => {
  test.concurrent.each(["ublk", "fuse_loop"])(
    "gets on by writing back to an attached volume, under a snapshot and over a kill: %s",
    async (transport) => {
      const { output, kernelLog } = await mustBoot({
        kernel: KERNEL,
        programs: [nativeProgram("stillframe-engine"), "perl", "mkfs.ext4", "e2fsck"],
        modules: ["virtio_blk", "ublk_drv", "loop"],
        memoryMb: 320,
        disksMb: [160, 160],
        script: `
content() { perl -e 'print pack("a4096", $ARGV[0]) x 256 for 1 .. 16' "$1"; }
# When there is no memory at all the kernel may end a writer, but neither this script nor what it calls.
echo -1000 > /proc/$$/oom_score_adj
written() { # to three files at once
  for name in a b c; do
    ( echo 1000 > /proc/self/oom_score_adj; content "$1 $name" | dd of=/mnt/$name conv=notrunc bs=64k 2> /dev/null ) &
  done
  wait
}
wanted() { for name in a b c; do content "$1 $name" | md5sum; done; }
found() { for name in a b c; do md5sum < $1/$name; done; }
mkfs.ext4 -q /dev/vdb
mkdir /cache /image
mount /dev/vdb /cache
mkdir -m 700 /cache/own
device=$(stillframe-engine attach --id v --backing /dev/vda --run-dir /run/v --threads 8 --transport ${transport} | device_of)
mkfs.ext4 -q $device
mount $device /mnt
written before
call /run/v prepare '{"snapshot":"s","cache":{"directory":"/cache/own","initialBytes":1048576,"maxBytes":134217728},"whenFull":"release","holdMs":0,"skipFreeBlocks":true}' > /dev/null
fsfreeze --freeze /mnt
call /run/v activate '{"snapshot":"s"}' > /dev/null
fsfreeze --unfreeze /mnt

available=$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
dd if=/dev/zero of=/tmp/hog bs=1M count=$((available - 24)) 2> /dev/null
written under_pressure &
load=$!
sleep 2
kill -9 $(serving /run/v)
wait $load || true
sync
scanned=$(awk '/^pgscan_direct / { print $2 }' /proc/vmstat)
echo "pages that somebody had to look for: $scanned"
rm /tmp/hog

written after
sync
echo 3 > /proc/sys/vm/drop_caches
wanted after > /tmp/wanted
found /mnt | diff /tmp/wanted - && echo "all is as it was written"
mount -o ro,noload $(image /run/v s) /image
wanted before > /tmp/wanted
found /image | diff /tmp/wanted - && echo "the image is whole"
umount /image
stillframe-engine unexport --run-dir /run/v --snapshot s > /dev/null
umount /mnt
e2fsck -fn $device > /dev/null && echo "the file system is sound"
echo "engines started: $(call /run/v describe '{}' | sed 's/.*"startCount":\\([0-9]*\\).*/\\1/')"
call /run/v release '{"snapshot":"s"}' > /dev/null
stillframe-engine detach --run-dir /run/v > /dev/null
`,
      });
      expect(Number(/look for: (\d+)/.exec(output)?.[1])).toBeGreaterThan(0);
      expect(output).toContain("all is as it was written");
      expect(output).toContain("the image is whole");
      expect(output).toContain("the file system is sound");
      expect(output).toContain("engines started: 2\n");
      expect(kernelLog).not.toMatch(/Killed process \d+ \((exe|stillframe-engin)/);
      expect(kernelLog).not.toContain("blocked for more than");
    },
  );
});
