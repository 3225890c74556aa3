/** What the quiet time may not go by on a file system that few kernels have. */
import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot } from "./rig/boot";
import { describeOnMachine } from "./rig/on-machine";

const KERNEL = "6.18";

await describeOnMachine(`ignored paths under Linux ${KERNEL}`, KERNEL, () => {
  test("count on an xfs with a device for real-time data: its places there look like some of the volume", async () => {
    const { output } = await mustBoot({
      kernel: KERNEL,
      programs: [nativeProgram("stillframe-watch"), "mkfs.xfs"],
      modules: ["virtio_blk", "xfs"],
      disksMb: [320, 64],
      script: `
watch() {
  mkdir /mnt/log
  echo '{"volumes":[{"name":"v","mount":"/mnt","device":"/dev/vda"}],"ignore":["/mnt/log"]}' | stillframe-watch
  umount /mnt
}
mkfs.xfs -q -f /dev/vda
mount -t xfs /dev/vda /mnt
watch
mkfs.xfs -q -f -r rtdev=/dev/vdb /dev/vda
mount -t xfs -o rtdev=/dev/vdb /dev/vda /mnt
watch
`,
    });
    const [plain, realtime] = output.trim().split("\n");
    expect(plain).toContain('"refused":null');
    expect(realtime).toContain("realtime device");
  });
});
