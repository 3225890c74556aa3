import { beforeAll, expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot } from "./rig/boot";
import { hasZeroCopy, kernels } from "./rig/kernels";
import { describeOnMachine } from "./rig/on-machine";

/** Transports of volumes that were attached where nobody said by which; and what doctor says to it. */
const expected: Record<string, { transport: string; because: string }> = {
  "6.12": { transport: "fuse_loop", because: "CVE-2025-37906" },
  "6.17": { transport: "fuse_loop", because: "the ublk driver of Linux 6.17 warns when an engine is killed" },
  "6.18.5": { transport: "fuse_loop", because: "making a ublk device crashes the driver of Linux 6.18.4 and 6.18.5" },
};
const ublk = (kernel: string) => ({
  transport: "ublk",
  because: `${hasZeroCopy(kernel) ? "large requests without a copy; " : ""}what live devices are made with`,
});

/** What is done where no ublk device can be made, or not be brought up. */
const served = `
. /guest.sh
stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v
call /run/v describe '{}' | grep -o '"notUblkBecause":"[^"]*"'
grep -o 'keeper: the live device.*' /run/v/engine.log
dd if=/dev/urandom of=/dev/loop0 bs=1M count=4 2> /dev/null
cmp -n 4194304 /dev/loop0 /tmp/volume && echo "it serves"
stillframe-engine detach --run-dir /run/v
`;

/** As in containers: the device is made, and nobody can make the node that its engine opens. */
const withoutNodes = `
mkdir /tmp/dev
mount -t tmpfs dev /tmp/dev
for node in null urandom fuse loop-control loop0 ublk-control; do cp -a /dev/$node /tmp/dev/; done
mount --bind /tmp/dev /dev
mount -o remount,bind,ro /dev
. /served.sh
`;

/** The device is shown, and cannot be set up. */
const withoutSettings = `
mount -o remount,bind,ro /sys
. /served.sh
`;

const script = `
stillframe-engine probe
truncate -s 16M /tmp/volume
stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v
stillframe-engine detach --run-dir /run/v > /dev/null
# There the control device answers and makes nothing: only who may administer the whole machine may have a ublk device.
with_less_rights() { /bin/unshare --user --map-root-user --mount --propagation unchanged "$@"; }
with_less_rights stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v --transport ublk || echo "by name: refused"
with_less_rights sh /served.sh
for lack in nodes settings; do
  /bin/unshare --mount --propagation private sh -e /without-$lack.sh | sed "s/^/without $lack: /"
  echo "left without $lack: $(left)"
done
rm /dev/ublk-control
stillframe-engine attach --id w --backing /tmp/volume --run-dir /run/w
stillframe-engine detach --run-dir /run/w > /dev/null
echo "left: $(left)"
`;

for (const kernel of kernels(["6.12", "6.18"])) {
  await describeOnMachine(`a volume that is attached as it comes under Linux ${kernel}`, kernel, () => {
    const { transport, because } = expected[kernel] ?? ublk(kernel);
    let output = "";
    beforeAll(async () => {
      const programs = [nativeProgram("stillframe-engine"), "perl", "unshare"];
      const files = {
        "/served.sh": served,
        "/without-nodes.sh": withoutNodes,
        "/without-settings.sh": withoutSettings,
      };
      ({ output } = await mustBoot({ kernel, programs, modules: ["ublk_drv", "loop"], files, script }));
    }, 300_000);

    test(`is served by ${transport}, and doctor says why`, () => {
      expect(output).toContain(because);
      expect(output).toContain(`"transport":"${transport}"`);
      expect(output).toMatch(/left: $/m);
    });

    if (transport !== "ublk") return;
    test("is served by FUSE and a loop device where no ublk device can be made, unless ublk was asked for by name", () => {
      const refusal = "making the ublk device: Operation not permitted (os error 1)";
      expect(output).toContain("by name: refused");
      expect(output).toContain(`"transport":"fuse_loop","notUblkBecause":"${refusal}"`);
      expect(output).toContain(`\n"notUblkBecause":"${refusal}"`);
      expect(output).toContain(`keeper: the live device is not made with ublk: ${refusal}`);
      expect(output).toContain("it serves");
      expect(output).toContain('"notUblkBecause":"/dev/ublk-control: No such file or directory (os error 2)"');
    });

    test.each([
      ["nodes", "serving the ublk device: Read-only file system (os error 30)"],
      ["settings", "starting ublk device 0: Read-only file system (os error 30)"],
    ])("is served by FUSE and a loop device where its ublk device has no %s, which is taken away", (lack, reason) => {
      const said = `without ${lack}: `;
      expect(output).toContain(`${said}"notUblkBecause":"${reason}"`);
      expect(output).toContain(`${said}keeper: the live device is not made with ublk: ${reason}`);
      expect(output).toContain(`${said}it serves`);
      expect(output).toMatch(new RegExp(`^left ${said}$`, "m"));
    });
  });
}
