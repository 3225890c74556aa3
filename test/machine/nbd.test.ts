import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot } from "./rig/boot";
import { describeOnMachine } from "./rig/on-machine";

const KERNEL = "6.12";

/**
 * The kernel's client gives requests in flight up when its connection ends, unless it was set up over netlink with a time to wait,
 * which Debian's nbd-client 3.24 does not offer; nor did its -persist connect again here. So the engine is killed between requests,
 * and the devices are connected anew.
 */
await describeOnMachine("the kernel's NBD client", KERNEL, () => {
  test("mounts and writes the live volume, reads a frozen image, and both are there again after a kill of the engine", async () => {
    const { output } = await mustBoot({
      kernel: KERNEL,
      programs: [nativeProgram("stillframe-engine"), "fio", "perl", "mkfs.ext4", "e2fsck", "nbd-client"],
      modules: ["nbd", "loop"],
      script: `
truncate -s 96M /tmp/volume
stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v --threads 4 --transport fuse_loop > /dev/null
call /run/v serveNbd '{"live":"readWrite","allSnapshots":true}' > /dev/null
connect() {
  /bin/nbd-client -nonetlink -unix /run/v/nbd.sock -name "$1" "$2" > /dev/null || return 1
  for try in $(seq 50); do if [ "$(cat /sys/block/\${2#/dev/}/size)" -gt 0 ]; then return 0; fi; sleep 0.2; done
  return 1
}
connect live /dev/nbd0
mkfs.ext4 -q /dev/nbd0 30M
mount /dev/nbd0 /mnt
verified --directory=/mnt --size=8m --rw=randwrite --bs=4k --iodepth=16
echo kept > /mnt/file
umount /mnt
e2fsck -fn /dev/nbd0 > /dev/null
before=$(sha256sum < /tmp/volume)

snapshot /run/v s
connect s /dev/nbd1
verified --filename=/dev/nbd0 --offset=32m --size=16m --rw=randwrite --bs=16k --iodepth=16
[ "$(sha256sum < /dev/nbd1)" = "$before" ] && echo "the frozen image is as it was"
dd if=/dev/zero of=/dev/nbd1 bs=4k count=1 conv=fsync 2> /dev/null || echo "it cannot be written"

kill -9 $(serving /run/v)
while [ -e /sys/block/nbd0/pid ] || [ -e /sys/block/nbd1/pid ]; do sleep 0.2; done
for try in $(seq 50); do if connect live /dev/nbd0 && connect s /dev/nbd1; then break; fi; sleep 0.2; done
[ "$(sha256sum < /dev/nbd1)" = "$before" ] && echo "and still after a kill"
verified --filename=/dev/nbd0 --offset=32m --size=4m --rw=randwrite --bs=16k --iodepth=16
mount -o ro /dev/nbd0 /mnt
cat /mnt/file
umount /mnt
/bin/nbd-client -d /dev/nbd0
/bin/nbd-client -d /dev/nbd1
call /run/v stopNbd '{}' > /dev/null
call /run/v release '{"snapshot":"s"}' > /dev/null
stillframe-engine detach --run-dir /run/v > /dev/null
echo detached
`,
    });
    expect(output).toContain("the frozen image is as it was");
    expect(output).toContain("it cannot be written");
    expect(output).toContain("and still after a kill");
    expect(output).toMatch(/^kept$/m);
    expect(output).toContain("detached");
  });
});
