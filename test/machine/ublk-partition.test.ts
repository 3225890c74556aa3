/** A partition of a live device over ublk. */
import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot, TRACE_OF_UBLK } from "./rig/boot";
import { describeOnMachine } from "./rig/on-machine";

const KERNEL = "6.18";

await describeOnMachine(`a volume over ublk with a partition under Linux ${KERNEL}`, KERNEL, () => {
  test("refuses a cache on that partition, which would fill itself, and has its files in the image", async () => {
    const { output, kernelLog } = await mustBoot({
      kernel: KERNEL,
      programs: [
        nativeProgram("stillframe-engine"),
        nativeProgram("stillframe-freeze"),
        "perl",
        "mkfs.ext4",
        "addpart",
      ],
      modules: ["ublk_drv", "loop", "ext4"],
      script: `
truncate -s 136M /tmp/volume
stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v --threads 4 --transport ublk > /dev/null
addpart /dev/ublkb0 1 16384 262144
until [ -b /dev/ublkb0p1 ]; do usleep 20000; done
mkfs.ext4 -q /dev/ublkb0p1
mount -t ext4 /dev/ublkb0p1 /mnt
dd if=/dev/urandom of=/mnt/file bs=1M count=8 conv=fsync 2> /dev/null
before=$(sha256sum < /mnt/file)
prepare() {
  call /run/v prepare '{"snapshot":"'$1'","cache":{"directory":"'$2'","initialBytes":4194304,"maxBytes":268435456},"whenFull":"release","holdMs":0,"skipFreeBlocks":true}'
}
mkdir -m 700 /mnt/cache /tmp/cache
prepare refused /mnt/cache || true
prepare s1 /tmp/cache
( echo '{"volumes":[{"name":"v","mount":"/mnt","socket":"/run/v/engine.sock","snapshot":"s1"}]}'; sleep 5 ) | stillframe-freeze
rm /mnt/file
dd if=/dev/urandom of=/mnt/other bs=1M count=32 conv=fsync 2> /dev/null
device=$(image /run/v s1)
losetup -r -o 8388608 /dev/loop7 $device
mkdir /tmp/frozen
mount -t ext4 -o ro,noload /dev/loop7 /tmp/frozen
[ "$(sha256sum < /tmp/frozen/file)" = "$before" ] && echo "the file is what it was"
umount /tmp/frozen
losetup -d /dev/loop7
umount /mnt
stillframe-engine detach --run-dir /run/v --force > /dev/null
`,
    });
    expect(output).toMatch(/cache directory \/mnt\/cache lies on a volume that an engine serves/);
    expect(output).toContain('"ok":true');
    expect(output).toContain("the file is what it was");
    expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
  });
});
