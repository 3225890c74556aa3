import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot } from "./rig/boot";
import { kernels } from "./rig/kernels";
import { describeOnMachine } from "./rig/on-machine";

/** Transports of volumes that were attached where nobody said by which; and what doctor says to it. */
const expected: Record<string, { transport: string; because: string }> = {
  "6.12": { transport: "fuse_loop", because: "CVE-2025-37906" },
  "6.17": { transport: "fuse_loop", because: "the ublk driver of Linux 6.17 warns when an engine is killed" },
  "6.18.5": { transport: "fuse_loop", because: "making a ublk device crashes the driver of Linux 6.18.4 and 6.18.5" },
};
const ublk = { transport: "ublk", because: "what live devices are made with" };

for (const kernel of kernels(["6.12", "6.18"])) {
  await describeOnMachine(`a volume that is attached as it comes under Linux ${kernel}`, kernel, () => {
    const { transport, because } = expected[kernel] ?? ublk;
    test(`is served by ${transport}, and doctor says why`, async () => {
      const { output } = await mustBoot({
        kernel,
        programs: [nativeProgram("stillframe-engine")],
        modules: ["ublk_drv", "loop"],
        script: `
stillframe-engine probe
truncate -s 16M /tmp/volume
stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v
stillframe-engine detach --run-dir /run/v > /dev/null
echo "left: $(ls /dev/ublkb* /dev/ublkc* /run/stillframe-ublk 2> /dev/null; losetup -a; ls /run; engines)"
`,
      });
      expect(output).toContain(because);
      expect(output).toContain(`"transport":"${transport}"`);
      expect(output).toMatch(/left: $/m);
    });
  });
}
