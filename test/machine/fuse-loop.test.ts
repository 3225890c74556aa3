import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot } from "./rig/boot";
import { describeOnMachine } from "./rig/on-machine";

const KERNEL = "6.12";

await describeOnMachine("a volume over FUSE and loop under Linux 6.12", KERNEL, () => {
  test("an engine that is killed under a verified load costs no error, and the file system is sound", async () => {
    const { output } = await mustBoot({
      kernel: KERNEL,
      programs: [nativeProgram("stillframe-engine"), "fio", "mkfs.ext4", "e2fsck"],
      modules: ["loop"],
      script: `truncate -s 128M /tmp/volume
stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v --threads 4 > /dev/null
mkfs.ext4 -q /dev/loop0
mount /dev/loop0 /mnt
verified --directory=/mnt --size=8m --rw=randwrite --bs=4k --iodepth=16 &
load=$!
for kill in 1 2 3; do
  sleep 0.5
  kill -9 $(engines)
done
wait $load
umount /mnt
e2fsck -fn /dev/loop0 > /dev/null
stillframe-engine detach --run-dir /run/v > /dev/null
echo "loops left: $(losetup -a | wc -l)"
`,
    });
    expect(output).toContain("loops left: 0");
  });
});
