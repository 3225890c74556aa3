import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot, TRACE_OF_UBLK } from "./rig/boot";
import { kernels } from "./rig/kernels";
import { describeOnMachine } from "./rig/on-machine";

const programs = [nativeProgram("stillframe-engine"), "fio", "perl", "mkfs.xfs", "xfs_repair"];

/** Snapshot `$1` of what is mounted at /mnt, with a cache of at most `$2` bytes. */
const taken = `
mkdir -m 700 /tmp/cache
snapshot() {
  call /run/v prepare "{\\"snapshot\\":\\"$1\\",\\"cache\\":{\\"directory\\":\\"/tmp/cache\\",\\"initialBytes\\":1048576,\\"maxBytes\\":$2},\\"whenFull\\":\\"release\\",\\"holdMs\\":0,\\"skipFreeBlocks\\":false}" > /dev/null
  fsfreeze --freeze /mnt
  call /run/v activate "{\\"snapshot\\":\\"$1\\"}" > /dev/null
  fsfreeze --unfreeze /mnt
}
`;

for (const kernel of kernels(["6.18"])) {
  await describeOnMachine(`a volume over ublk in use under Linux ${kernel}`, kernel, () => {
    test("an upgrade, a killed keeper and a full cache cost the xfs on it no error, and its image nothing", async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules: ["ublk_drv", "loop", "xfs"],
        script: `${taken}
truncate -s 304M /tmp/volume
stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v --threads 4 --transport ublk
mkfs.xfs -q /dev/ublkb0
mount -t xfs /dev/ublkb0 /mnt
mkdir /mnt/load /mnt/tree
for name in busybox perl xfs_repair; do cp /bin/$name /mnt/tree; done
( cd /mnt/tree && sha256sum * ) > /tmp/tree
( while [ ! -e /tmp/enough ]; do verified --directory=/mnt/load --size=2m --rw=randwrite --bs=4k --iodepth=16 || exit 1; done ) &
load=$!
under_way() { # the load writes to the device, now
  kill -0 $load
  written=$(awk '{ print $5 }' /sys/block/ublkb0/stat)
  while [ $(awk '{ print $5 }' /sys/block/ublkb0/stat) -lt $((written + 100)) ]; do usleep 20000; done
}
image_is_whole() {
  stillframe-engine export --run-dir /run/v --snapshot kept > /dev/null
  mkdir -p /tmp/image
  mount -t xfs -o ro,norecovery,nouuid /dev/loop0 /tmp/image
  ( cd /tmp/image/tree && sha256sum -c -s /tmp/tree ) && echo "$1: the image is whole"
  umount /tmp/image
  stillframe-engine unexport --run-dir /run/v --snapshot kept > /dev/null
}
under_way
snapshot kept 268435456
for file in /mnt/tree/*; do dd if=/dev/urandom of=$file bs=64k count=1 conv=notrunc 2> /dev/null; done
rm -r /mnt/tree
sync

cp /bin/stillframe-engine /tmp/next-engine
stillframe-engine upgrade --run-dir /run/v --program /tmp/next-engine > /dev/null
echo "upgraded to $(readlink /proc/$(serving /run/v)/exe)"
under_way
image_is_whole "after the upgrade"

keeper=$(cat /run/v/keeper.pid)
until [ $(engines | wc -l) -ge 2 ]; do usleep 20000; done
kill -9 $keeper
until [ "$(cat /run/v/keeper.pid)" != $keeper ] && kill -0 $(cat /run/v/keeper.pid); do usleep 20000; done 2> /dev/null
under_way
kill -9 $(serving /run/v)
under_way
image_is_whole "after the keeper"

call /run/v release '{"snapshot":"kept"}' > /dev/null

snapshot small 1048576
until call /run/v describe '{}' | grep -q '"state":"overflowed"'; do under_way; done
echo "a full cache ends its snapshot"
call /run/v release '{"snapshot":"small"}' > /dev/null
touch /tmp/enough
wait $load
echo "no write failed"
umount /mnt
xfs_repair -n /dev/ublkb0 2> /dev/null
stillframe-engine detach --run-dir /run/v > /dev/null
echo "left: $(left /tmp/cache/*)"
`,
      });
      expect(output).toContain("upgraded to /tmp/next-engine");
      expect(output).toContain("after the upgrade: the image is whole");
      expect(output).toContain("after the keeper: the image is whole");
      expect(output).toContain("a full cache ends its snapshot");
      expect(output).toContain("no write failed");
      expect(output).toMatch(/left: $/m);
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });

    test("it stays when somebody unmounts where frozen images are shown, and when that connection ends", async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules: ["ublk_drv", "loop", "xfs"],
        script: `
truncate -s 304M /tmp/volume
attach() { stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v --threads 4 --transport ublk > /dev/null; }
attach
mkfs.xfs -q /dev/ublkb0
mount -t xfs /dev/ublkb0 /mnt
written() { dd if=/dev/urandom of=/mnt/$1 bs=1M count=8 conv=fsync 2> /dev/null && ( cd /mnt && sha256sum $1 ) >> /tmp/files; }
written before
umount /run/v/fuse && echo "unmounted" || echo "the mount is in use"
written after-unmount
kill -9 $(serving /run/v)
umount /run/v/fuse && echo "unmounted" || echo "the mount is in use"
written after-kill

keeper=$(cat /run/v/keeper.pid)
mount -t fusectl fusectl /sys/fs/fuse/connections
written before-abort & # dirty, and perhaps on its way
for connection in /sys/fs/fuse/connections/*/abort; do echo 1 > $connection; done
while kill -0 $keeper 2> /dev/null; do usleep 20000; done
[ -b /dev/ublkb0 ] && echo "the device waits"
attach
wait $!
written after-abort
umount /mnt
mount -t xfs /dev/ublkb0 /mnt
( cd /mnt && sha256sum -c -s /tmp/files ) && echo "$(wc -l < /tmp/files) files are whole"
umount /mnt
xfs_repair -n /dev/ublkb0 2> /dev/null
stillframe-engine detach --run-dir /run/v > /dev/null
echo "left: $(left)"
`,
      });
      expect(output.match(/the mount is in use/g)).toHaveLength(2);
      expect(output).not.toContain("unmounted\n");
      expect(output).toContain("the device waits");
      expect(output).toContain("5 files are whole");
      expect(output).toMatch(/left: $/m);
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });
  });
}
