import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot, TRACE_OF_UBLK } from "./rig/boot";
import { KILLS, kernels } from "./rig/kernels";
import { describeOnMachine } from "./rig/on-machine";

const programs = [...[nativeProgram("stillframe-engine"), "fio", "perl", "mkfs.ext4", "e2fsck", "blkdiscard"]];
const modules = ["ublk_drv", "loop"];

/** Of the engine that serves, in one test. */
const kills = Number(process.env[KILLS] ?? 20);

/** A volume of 96 MiB at /run/v, whose live device is /dev/ublkb0. */
const attached = `
truncate -s 96M /tmp/volume
stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v --threads 4 --transport ublk
`;
const gone = `
stillframe-engine detach --run-dir /run/v > /dev/null
echo "left: $(left)"
`;

for (const kernel of kernels(["6.18"]))
  await describeOnMachine(`a volume over ublk under Linux ${kernel}`, kernel, () => {
    test(`${kills} kills under a verified load, with a snapshot open, cost no error and no change of the frozen image`, async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules,
        script: `${attached}
echo "queues: $(ls /sys/block/ublkb0/mq | wc -l) of $(nproc)"
mounts_of() { readlink /proc/$1/ns/mnt; }
for pid in $(cat /run/v/keeper.pid) $(serving /run/v); do
  [ "$(mounts_of $pid)" != "$(mounts_of 1)" ] && echo "mounts of its own"
done
mkfs.ext4 -q /dev/ublkb0
mount /dev/ublkb0 /mnt
verified --directory=/mnt --size=6m --rw=randwrite --bs=4k --iodepth=32
verified --directory=/mnt --size=16m --rw=write --bs=1m --iodepth=4
umount /mnt
e2fsck -fn /dev/ublkb0 > /dev/null
before=$(sha256sum < /tmp/volume)
snapshot /run/v s
stillframe-engine export --run-dir /run/v --snapshot s > /dev/null
( while [ ! -e /tmp/enough ]; do
    verified --filename=/dev/ublkb0 --size=16m --rw=randwrite --bsrange=4k-64k --iodepth=32 --verify_backlog=256 || exit 1
  done ) &
load=$!
kills=0
while [ $kills -lt ${kills} ]; do
  kill -0 $load
  usleep $(( RANDOM * 10 ))
  if kill -9 $(serving /run/v) 2> /dev/null; then kills=$((kills + 1)); fi
done
touch /tmp/enough
wait $load
[ "$(sha256sum < /dev/loop0)" = "$before" ] && echo "the frozen image is as it was"
stillframe-engine unexport --run-dir /run/v --snapshot s > /dev/null
call /run/v release '{"snapshot":"s"}' > /dev/null
${gone}`,
      });
      expect(output).toContain('"transport":"ublk"');
      expect(output).toContain("queues: 2 of 2");
      expect(output.match(/mounts of its own/g)).toHaveLength(2);
      expect(output).toContain("the frozen image is as it was");
      expect(output).toMatch(/left: $/m);
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });

    test("writers that wait for room in a full cache keep no reader waiting, nor an engine from being replaced", async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules,
        script: `${attached}
mkdir -m 700 /tmp/cache
call /run/v prepare '{"snapshot":"s","cache":{"directory":"/tmp/cache","initialBytes":1048576,"maxBytes":1048576},"whenFull":"hold","holdMs":60000,"skipFreeBlocks":false}' > /dev/null
call /run/v activate '{"snapshot":"s"}' > /dev/null
dd if=/dev/urandom of=/dev/ublkb0 bs=1M count=1 oflag=direct 2> /dev/null
before=$(head -c 20971520 /tmp/volume | sha256sum)
echo 2 > /sys/block/ublkb0/queue/nomerges # so that each write counts
verified --filename=/dev/ublkb0 --offset=16m --size=1m --rw=randwrite --bs=16k --iodepth=64 --iodepth_batch_submit=64 &
load=$!
writes() { sed 's/^ *[0-9]* *//' /sys/block/ublkb0/inflight; }
while [ $(writes) -lt 60 ]; do usleep 10000; done
read_there() { dd if=/dev/ublkb0 iflag=direct bs=1M count=20 2> /dev/null | sha256sum; }
[ "$(read_there)" = "$before" ] && echo "readers went on"
kill -9 $(serving /run/v)
[ "$(read_there)" = "$before" ] && echo "readers went on under the next engine"
[ $(writes) -ge 60 ] && echo "writers waited"
call /run/v setPolicy '{"snapshot":"s","maxBytes":67108864}' > /dev/null
wait $load
stillframe-engine export --run-dir /run/v --snapshot s > /dev/null
sha256sum < /dev/loop0 > /dev/null && echo "the image is whole"
stillframe-engine unexport --run-dir /run/v --snapshot s > /dev/null
call /run/v release '{"snapshot":"s"}' > /dev/null
${gone}`,
      });
      expect(output).toContain("readers went on\n");
      expect(output).toContain("readers went on under the next engine");
      expect(output).toContain("writers waited");
      expect(output).toContain("the image is whole");
      expect(output).toMatch(/left: $/m);
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });

    test("flushes, forced writes, discards and zeroes do what they say, and a volume in use stays", async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules,
        script: `${attached}
cd /sys/block/ublkb0/queue
echo "queue: $(cat fua) $(cat write_cache) $(cat logical_block_size) $(cat nr_requests)"
cd /
flushes() { call /run/v describe '{}' | sed 's/.*"flushes":\\([0-9]*\\).*/\\1/'; }
dd if=/dev/urandom of=/dev/ublkb0 bs=1M count=8 2> /dev/null
one=$(flushes)
fio --name=forced --filename=/dev/ublkb0 --offset=16m --size=64k --rw=write --bs=4k --direct=1 --sync=dsync --thread > /dev/null
two=$(flushes)
[ $((two - one)) -ge 16 ] && echo "every forced write was flushed"
blkdiscard -o 1M -l 1M /dev/ublkb0
/bin/blkdiscard -z -o 4M -l 512K /dev/ublkb0
for at in 1 4; do dd if=/dev/ublkb0 iflag=direct bs=512k skip=$((at * 2)) count=1 2> /dev/null | tr -d '\\0' | wc -c; done
cmp /dev/ublkb0 /tmp/volume && echo "device and image are the same"

mkfs.ext4 -q -F /dev/ublkb0
mount /dev/ublkb0 /mnt
stillframe-engine detach --run-dir /run/v 2>&1 > /dev/null || true
kill -9 $(serving /run/v)
echo kept > /mnt/file
sync
umount /mnt
sleep 100 < /dev/ublkb0 &
reader=$!
stillframe-engine detach --run-dir /run/v 2>&1 > /dev/null || true
kill $reader
${gone}
mount -o loop,ro /tmp/volume /mnt
cat /mnt/file
umount /mnt

${attached}
mount /dev/ublkb0 /mnt
echo before > /mnt/file
sync
# Keeper and engines at once, under a snapshot and while somebody writes: the device waits, and goes on.
mkdir -p -m 700 /tmp/cache
call /run/v prepare '{"snapshot":"s","cache":{"directory":"/tmp/cache","initialBytes":1048576,"maxBytes":8388608},"whenFull":"release","holdMs":0,"skipFreeBlocks":true}' > /dev/null
call /run/v activate '{"snapshot":"s"}' > /dev/null
stillframe-engine export --run-dir /run/v --snapshot s > /dev/null
( verified --filename=/mnt/load --size=4m --rw=randwrite --bs=4k --iodepth=8 --loops=4 && echo "a load over the death of all ended well" ) &
load=$!
sleep 1
kill -9 $(cat /run/v/keeper.pid) $(engines)
sleep 1
${attached}
wait $load
call /run/v describe '{}' | grep -q '"snapshots":\\[\\]' && echo "its snapshot is lost"
[ "$(cat /mnt/file)" = before ] && echo "its file system goes on"
echo "loops over images: $(losetup -a | wc -l)"

kill -9 $(cat /run/v/keeper.pid) $(engines)
sleep 1
truncate -s 112M /tmp/volume
${attached.trim().split("\n")[1]} 2>&1 > /dev/null || true
truncate -s 96M /tmp/volume
( timeout 30 dd if=/dev/ublkb0 iflag=direct of=/dev/null bs=4k count=1 2> /dev/null || echo "a read without an engine ended with $?" ) &
sleep 1
stillframe-engine detach --run-dir /run/v --force > /dev/null
wait $!
umount /mnt
${gone}`,
      });
      expect(output).toContain("queue: 1 write back 512 127");
      expect(output).toContain("every forced write was flushed");
      expect(output).toContain("device and image are the same");
      expect(output).toContain("/dev/ublkb0 is mounted; unmount it first");
      expect(output).toContain("/dev/ublkb0 is still open in another program");
      expect(output).toContain("\nkept\n");
      expect(output).toContain("a load over the death of all ended well");
      expect(output).toContain("its snapshot is lost");
      expect(output).toContain("its file system goes on");
      expect(output).toContain("loops over images: 0\n");
      expect(output).toContain("waits for an engine and has 100663296 bytes");
      expect(output).toContain("a read without an engine ended with 1");
      expect(output.match(/left: $/gm)).toHaveLength(2);
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });
  });
