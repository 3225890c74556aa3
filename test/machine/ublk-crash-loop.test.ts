/** Engines that crash over and over under a file system on a ublk device: it learns nothing of it but the wait. */
import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot, TRACE_OF_UBLK } from "./rig/boot";
import { describeOnMachine } from "./rig/on-machine";

const KERNEL = "6.18";

await describeOnMachine(`engines that crash in a loop over ublk under Linux ${KERNEL}`, KERNEL, () => {
  test("are followed by one without snapshots, and where none can serve the mounted device waits until it is attached again", async () => {
    const { output, kernelLog } = await mustBoot({
      kernel: KERNEL,
      programs: [nativeProgram("stillframe-engine"), "perl", "mkfs.ext4", "e2fsck"],
      modules: ["ublk_drv", "loop", "ext4"],
      script: `
truncate -s 136M /tmp/volume
attach() { stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v --threads 4 --transport ublk > /dev/null; }
written() { dd if=/dev/urandom of=/mnt/$1 bs=1M count=4 conv=fsync 2> /dev/null && ( cd /mnt && sha256sum $1 ) >> /tmp/files; }
attach
mkfs.ext4 -q /dev/ublkb0
mount -t ext4 /dev/ublkb0 /mnt
written before
snapshot /run/v s1
keeper=$(cat /run/v/keeper.pid)
state=/proc/$keeper/fd/101 # what engines take over from each other; they die of looking at what is cut off
truncate -s 1M $state
written in-the-loop
call /run/v describe '{}' | grep -o '"passThrough":true'

truncate -s 4096 $state
written from-the-loop-on &
while kill -0 $keeper 2> /dev/null; do usleep 50000; done
sed 's/.* keeper: //' /run/v/engine.log | grep -E 'giving up|waits for an engine'
attach
wait $!
written after
umount /mnt
mount -t ext4 /dev/ublkb0 /mnt
( cd /mnt && sha256sum -c -s /tmp/files ) && echo "$(wc -l < /tmp/files) files are whole"
umount /mnt
e2fsck -fn /dev/ublkb0 > /dev/null 2>&1 && echo "the file system is sound"
stillframe-engine detach --run-dir /run/v > /dev/null
echo "left: $(left)"
`,
    });
    expect(output).toContain('"passThrough":true');
    expect(output).toMatch(/giving up\n.*ublkb0 is mounted.* it waits for an engine: attach the volume again/);
    expect(output).toContain("4 files are whole");
    expect(output).toContain("the file system is sound");
    expect(output).toMatch(/left: $/m);
    expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
  });
});
