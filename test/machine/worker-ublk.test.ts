import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot, TRACE_OF_UBLK } from "./rig/boot";
import { describeOnMachine } from "./rig/on-machine";

const KERNEL = "6.18";
const built = (name: string) => readFile(fileURLToPath(new URL(`../../dist/${name}`, import.meta.url)), "utf8");

await describeOnMachine(`a worker with a volume over ublk, Linux ${KERNEL}`, KERNEL, () => {
  test("whose keeper and engines are all killed at once takes the device up again, mounted as it is", async () => {
    const { output, kernelLog } = await mustBoot({
      kernel: KERNEL,
      programs: [
        ...[process.execPath, nativeProgram("stillframe-engine"), nativeProgram("stillframe-freeze")],
        ...["blkid", "mkfs.ext4", "mount", "umount", "losetup", "nsenter", "unshare", "flock"],
      ],
      files: {
        "/app/package.json": '{"type":"module"}',
        "/app/dist/worker.js": await built("worker.js"),
        "/app/dist/cli.js": await built("cli.js"),
      },
      modules: ["ublk_drv", "loop"],
      memoryMb: 1200,
      script: `
export STILLFRAME_HOME=/tmp/home STILLFRAME_RUN=/run/stillframe STILLFRAME_NATIVE=/bin
trap 'cat /tmp/worker.log' EXIT
start_worker() {
  rm -f /run/stillframe/worker.sock
  node /app/dist/worker.js >> /tmp/worker.log 2>&1 &
  worker=$!
  tries=0
  while [ ! -S /run/stillframe/worker.sock ]; do usleep 100000; tries=$((tries + 1)); [ $tries -lt 600 ]; done
}
start_worker
truncate -s 64M /tmp/volume
mkfs.ext4 -q /tmp/volume
cli() { node /app/dist/cli.js "$@"; }
cli volume attach /tmp/volume --name one --mount /data | tail -n 1
echo before > /data/file
cli exec --volume one -- sh -c 'touch /tmp/frozen; while [ ! -e /tmp/changed ]; do usleep 10000; done; echo "frozen: $(cat /data/file)"' &
reader=$!
while [ ! -e /tmp/frozen ]; do usleep 10000; kill -0 $reader; done
echo after > /data/file
sync
touch /tmp/changed
wait $reader
echo "live: $(cat /data/file)"

cli snapshot create one > /dev/null
sync
kill_all() { kill -9 $(cat /run/stillframe/engine/*/keeper.pid) $(engines); }
kill_all
# It waits until the worker has noticed.
echo waited > /data/other
sync
echo "goes on: $(cat /data/other), mounted $(grep -c ' /data ' /proc/mounts) time"
echo "snapshots: $(cli snapshot list --json)"

# No worker is there to notice: the next one does, before anything else.
kill -9 $worker
kill_all
( echo again > /data/other; sync; echo "goes on: $(cat /data/other)" ) &
writer=$!
sleep 1
start_worker
wait $writer
cli volume detach one
echo "left: $(ls /dev/ublkb* /run/stillframe-ublk 2> /dev/null; losetup -a; engines; grep /data /proc/mounts)"
mount -o loop,ro /tmp/volume /mnt
echo "there: $(cat /mnt/file /mnt/other)"
umount /mnt
`,
    });
    expect(output).toContain("engine (ublk)");
    expect(output).toContain("frozen: before\n");
    expect(output).toContain("live: after\n");
    expect(output).toContain("goes on: waited, mounted 1 time\n");
    expect(output).toContain("snapshots: []\n");
    expect(output).toContain("goes on: again\n");
    expect(output).toContain("left: \n");
    expect(output).toContain("there: after\nagain\n");
    expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
  });
});
