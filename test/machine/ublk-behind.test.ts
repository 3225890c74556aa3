/** Over ublk small requests of a disk go on behind the queue's thread, as those over FUSE do. */
import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot, TRACE_OF_UBLK } from "./rig/boot";
import { kernels } from "./rig/kernels";
import { describeOnMachine } from "./rig/on-machine";

const programs = [nativeProgram("stillframe-engine"), "fio", "perl"];
const modules = ["ublk_drv", "loop", "fuse"];

/** More than the queues' threads and two workers have under way together. */
const MANY = 16;

/** A volume over ublk at /run/v whose disk is another volume's live device, so that stopping that one's engine stops the disk. */
const attached = `
truncate -s 64M /tmp/volume
stillframe-engine attach --id disk --backing /tmp/volume --run-dir /run/disk --threads 4 --transport fuse_loop > /dev/null
stillframe-engine attach --id v --backing /dev/loop0 --run-dir /run/v --threads 2 --transport ublk
verified --filename=/dev/ublkb0 --size=4m --rw=randwrite --bsrange=512-32k --blockalign=512 --iodepth=32
`;
const gone = `
stillframe-engine detach --run-dir /run/v > /dev/null
stillframe-engine detach --run-dir /run/disk > /dev/null
echo "left: $(left)"
`;

for (const kernel of kernels(["6.18"]))
  await describeOnMachine(`a volume of a disk over ublk under Linux ${kernel}`, kernel, () => {
    test("has many requests at the disk at once, all of which land before the engine after a killed one serves", async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules,
        script: `${attached}
kill -STOP $(serving /run/disk)
verified --filename=/dev/ublkb0 --offset=8m --size=1m --rw=randwrite --bs=4k --iodepth=64 --iodepth_batch_submit=64 &
load=$!
writes() { sed 's/^ *[0-9]* *//' /sys/block/loop0/inflight; }
tries=0
while [ $(writes) -lt ${MANY} ] && [ $tries -lt 500 ]; do usleep 10000; tries=$((tries + 1)); done
[ $(writes) -ge ${MANY} ] && echo "many at once"
dead=$(serving /run/v)
kill -9 $dead
usleep 1500000
[ $(serving /run/v) = $dead ] && echo "nobody serves before they have landed"
kill -CONT $(serving /run/disk)
wait $load && echo "all verified"
[ $(serving /run/v) != $dead ] && echo "another one serves"
cmp /dev/ublkb0 /tmp/volume && echo "device and image are the same"
${gone}`,
      });
      expect(output).toContain('"transport":"ublk"');
      expect(output).toContain("many at once");
      expect(output).toContain("nobody serves before they have landed");
      expect(output).toContain("all verified");
      expect(output).toContain("another one serves");
      expect(output).toContain("device and image are the same");
      expect(output).toMatch(/left: $/m);
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });

    test("takes snapshots while requests are under way, each of one instant", async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules,
        script: `${attached}
( while [ ! -e /tmp/enough ]; do
    verified --filename=/dev/ublkb0 --size=8m --rw=randwrite --bs=4k --iodepth=32 --verify_backlog=256 || exit 1
  done ) &
load=$!
same=0
for n in $(seq 12); do
  kill -0 $load
  snapshot /run/v s$n
  image=$(image /run/v s$n)
  at_once=$(head -c 8388608 $image | sha256sum)
  usleep 200000
  echo 3 > /proc/sys/vm/drop_caches
  [ "$(head -c 8388608 $image | sha256sum)" = "$at_once" ] && same=$((same + 1))
  stillframe-engine unexport --run-dir /run/v --snapshot s$n > /dev/null
  call /run/v release '{"snapshot":"s'$n'"}' > /dev/null
done
touch /tmp/enough
wait $load && echo "all verified"
echo "same: $same"
cmp /dev/ublkb0 /tmp/volume && echo "device and image are the same"
${gone}`,
      });
      expect(output).toContain("same: 12");
      expect(output).toContain("all verified");
      expect(output).toContain("device and image are the same");
      expect(output).toMatch(/left: $/m);
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });

    test("keeps every write through kills of its engine, and the frozen image", async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules,
        script: `${attached}
before=$(sha256sum < /dev/loop0)
snapshot /run/v s
image=$(image /run/v s)
( while [ ! -e /tmp/enough ]; do
    verified --filename=/dev/ublkb0 --size=8m --rw=randwrite --bs=4k --iodepth=32 --verify_backlog=256 || exit 1
  done ) &
load=$!
kills=0
while [ $kills -lt 12 ]; do
  kill -0 $load
  usleep $(( RANDOM * 10 ))
  if kill -9 $(serving /run/v) 2> /dev/null; then kills=$((kills + 1)); fi
done
touch /tmp/enough
wait $load && echo "all verified"
[ "$(sha256sum < $image)" = "$before" ] && echo "the frozen image is as it was"
stillframe-engine unexport --run-dir /run/v --snapshot s > /dev/null
call /run/v release '{"snapshot":"s"}' > /dev/null
cmp /dev/ublkb0 /tmp/volume && echo "device and image are the same"
${gone}`,
      });
      expect(output).toContain("all verified");
      expect(output).toContain("the frozen image is as it was");
      expect(output).toContain("device and image are the same");
      expect(output).toMatch(/left: $/m);
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });
  });
