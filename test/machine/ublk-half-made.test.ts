/** A volume over ublk whose attaching or detaching is killed, or gets no answer: nothing half-made stays, and nothing waits for ever. */
import { expect, test } from "vitest";
import { nativeProgram } from "@/test/fixtures/native-program";
import { mustBoot, TRACE_OF_UBLK } from "./rig/boot";
import { KERNELS, kernels } from "./rig/kernels";
import { describeOnMachine } from "./rig/on-machine";

const programs = [nativeProgram("stillframe-engine"), "fio", "perl"];
const modules = ["ublk_drv", "loop"];

/** Waits for an instant in the life of the device, and kills at once: `at opened`, `at stopped`. */
const at = `
my $end = time + 60;
sub processes { opendir(my $proc, "/proc"); return grep { /^\\d+$/ && $_ > 2 } readdir $proc }
sub is_command { open(my $file, "<", "/proc/$_[0]/cmdline") or return 0; my $line = <$file> // ""; return index($line, "\\0$_[1]\\0") > 0 }
while (time < $end) {
  if ($ARGV[0] eq "opened") {
    for my $process (processes()) {
      opendir(my $descriptors, "/proc/$process/fd") or next;
      for my $one (readdir $descriptors) {
        next unless (readlink("/proc/$process/fd/$one") // "") =~ m{^/dev/ublkc};
        kill 9, $process;
        print -e "/sys/block/ublkb0" ? "killed late\\n" : "killed before it was shown\\n";
        exit 0;
      }
    }
  } elsif (!-e "/sys/block/ublkb0") {
    kill 9, grep { is_command($_, "detach") } processes();
    exit 0;
  }
}
die "never $ARGV[0]\\n";
`;

const common = `
truncate -s 96M /tmp/volume
dd if=/dev/urandom of=/tmp/volume bs=1M count=4 conv=notrunc 2> /dev/null
attach() { timeout 60 stillframe-engine attach --id v --backing /tmp/volume --run-dir /run/v --threads 4 --transport ublk > /dev/null 2>&1; }
detach() { timeout 100 stillframe-engine detach --run-dir /run/v "$@"; }
works() {
  timeout 30 dd if=/dev/ublkb0 iflag=direct bs=1M count=4 2> /dev/null | cmp -n 4194304 - /tmp/volume
  [ "$(cat /sys/block/ublkb0/queue/nr_requests)" = 127 ]
}
nothing_left() {
  detach > /dev/null
  left=$(left)
  [ -z "$left" ] || echo "$1 left: $left"
}
`;

for (const kernel of kernels(["6.18"])) {
  await describeOnMachine(`a volume over ublk that is half made under Linux ${kernel}`, kernel, () => {
    test.concurrent("an engine or attach killed before the device is shown, or a detach killed once it is stopped, cost nothing but to ask again", async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules,
        files: { "/at.pl": at },
        script: `${common}
early=0
while [ $early -lt 2 ]; do
  perl /at.pl opened > /tmp/killed &
  killer=$!
  attach
  wait $killer
  works
  if grep -q before /tmp/killed; then early=$((early + 1)); fi
  nothing_left "an engine killed before the device was shown"
done
echo "an engine that is killed before the device is shown costs nothing"

early=0
while [ $early -lt 2 ]; do
  perl /at.pl opened > /tmp/killed &
  killer=$!
  attach &
  attaching=$!
  wait $killer
  kill -9 $attaching $(ps | awk '/stillframe-engine attach/ { print $1 }') 2> /dev/null || true
  attach
  works
  if grep -q before /tmp/killed; then early=$((early + 1)); fi
  nothing_left "an attach killed with its engine"
done
echo "nor does it where attach is killed with it"

for round in 1 2 3; do
  attach
  perl /at.pl stopped &
  killer=$!
  detach > /dev/null 2>&1 || true
  wait $killer
  attach
  works
  nothing_left "a detach killed after the device was stopped"
done
echo "a volume whose detach was killed can be attached again"
`,
      });
      expect(output).toContain("costs nothing");
      expect(output).toContain("nor does it where attach is killed with it");
      expect(output).toContain("can be attached again");
      expect(output).not.toContain("left:");
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });

    test.concurrent("detach does not take the device from under what the kernel does with it", async () => {
      const { output, kernelLog } = await mustBoot({
        kernel,
        programs,
        modules,
        script: `${common}
attach
losetup /dev/loop5 /dev/ublkb0
detach || echo "refused beneath a loop device"
losetup -d /dev/loop5

# The kernel writes back what a program wrote that is killed: its descriptor is closed by then.
echo 4 > /sys/block/ublkb0/queue/max_sectors_kb
echo 2 > /sys/block/ublkb0/queue/nomerges
dd if=/dev/urandom of=/tmp/written bs=1M count=24 2> /dev/null
kill -STOP $(engines)
dd if=/tmp/written of=/dev/ublkb0 bs=1M 2> /dev/null &
writer=$!
has_it() { ls -l /proc/$writer/fd | grep -q ublkb0; }
until has_it; do usleep 10000; done
while has_it; do usleep 10000; done
kill -9 $writer
detach > /dev/null &
detaching=$!
sleep 2
kill -CONT $(engines)
wait $detaching && echo "detached while the kernel wrote back"
cmp -n 25165824 /tmp/written /tmp/volume && echo "and nothing was lost"
nothing_left "detaching"
`,
      });
      expect(output).toContain("/dev/ublkb0 is what /dev/loop5 is over; remove that first");
      expect(output).toContain("refused beneath a loop device");
      expect(output).toContain("detached while the kernel wrote back");
      expect(output).toContain("and nothing was lost");
      expect(output).not.toContain("left:");
      expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
    });

    // It waits for time limits for the most part of a minute: `npm run kernels` only.
    if (KERNELS in process.env)
      test("detach does not wait for an engine that answers nothing", async () => {
        const { output, kernelLog } = await mustBoot({
          kernel,
          programs,
          modules,
          script: `${common}
unanswered() { # requests that no process waits for any more
  fio --name=reads --filename=$1 --ioengine=io_uring --direct=1 --rw=randread --bs=4k --iodepth=8 --size=64m > /dev/null 2>&1 &
  while [ $(sed 's/ *\\([0-9]*\\).*/\\1/' /sys/block/\${1#/dev/}/inflight) -lt 8 ]; do usleep 50000; done
  kill -9 $(pidof fio)
  while pidof fio > /dev/null; do usleep 50000; done
}
seconds() { cut -d. -f1 /proc/uptime; }
gives_up() { # in time
  began=$(seconds)
  detach && echo "detached, though nobody answered"
  took=$(($(seconds) - began))
  [ $took -lt 60 ] && echo "detach gave up in time"
}

attach
kill -STOP $(engines)
unanswered /dev/ublkb0
gives_up
kill -CONT $(engines)
nothing_left "a detach that was given up"

attach
kill -STOP $(engines)
unanswered /dev/ublkb0
detach --force > /dev/null && echo "detached by force"
nothing_left "a detach by force"

# An engine that answers, over a disk that does not: the device of another one.
stillframe-engine attach --id below --backing /tmp/volume --run-dir /run/below --threads 4 --transport ublk > /dev/null
stillframe-engine attach --id v --backing /dev/ublkb0 --run-dir /run/v --threads 4 --transport ublk > /dev/null
below=$(serving /run/below)
kill -STOP $below
unanswered /dev/ublkb1
gives_up
kill -CONT $below
detach > /dev/null
stillframe-engine detach --run-dir /run/below > /dev/null
nothing_left "a disk that did not answer"
`,
        });
        expect(output).not.toContain("detached, though nobody answered");
        expect(output).toContain("the engine of /run/v does not answer");
        expect(output).toContain("stopping /dev/ublkb1: requests on it have waited 20 s for their answer");
        expect(output.match(/detach gave up in time/g)).toHaveLength(2);
        expect(output).toContain("detached by force");
        expect(output).not.toContain("left:");
        expect(kernelLog).not.toMatch(TRACE_OF_UBLK);
      });
  });
}
