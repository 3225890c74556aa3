# What scripts in the machine may call. Sourced before the script, which runs with -e.

# Process ids of engines, a standby included: the children of keepers.
engines() {
  for file in /proc/[0-9]*/cmdline; do
    if { tr "\0" " " <"$file"; } 2>/dev/null | grep -q " serve "; then
      pid=${file#/proc/}
      echo "${pid%/cmdline}"
    fi
  done
}

# A load that is read back and verified: fio's arguments; fails at the first wrong block or error.
verified() {
  fio --name=load --ioengine=libaio --direct=1 --thread --verify=crc32c --verify_fatal=1 --verify_state_save=0 \
    --serialize_overlap=1 --randrepeat=0 --output-format=terse --terse-version=3 --output=/tmp/fio.out "$@"
}

# The engine that serves the volume of a run directory now.
serving() {
  awk '/ the engine serves$/ { pid = $2 } END { print pid }' "$1/engine.log"
}

# One request to the engine of a run directory: call DIRECTORY METHOD PARAMETERS. Prints the reply; fails if it is an error.
call() {
  perl -e '
    my ($path, $method, $parameters) = @ARGV;
    for (1 .. 100) {
      socket(my $engine, 1, 1, 0) or die;
      if (connect($engine, pack("S a108", 1, $path))) {
        syswrite($engine, qq({"id":1,"method":"hello","params":{"protocol":1}}\n));
        syswrite($engine, qq({"id":2,"method":"$method","params":$parameters}\n));
        while (<$engine>) { if (/"id":2/) { print; exit(/"error"/ ? 1 : 0) } }
      }
      select(undef, undef, undef, 0.1);
    }
    die "no answer to $method\n";
  ' "$1/engine.sock" "$2" "$3"
}

# Devices, programs and files of volumes that are left over, and what else the arguments name; nothing after all were detached.
left() {
  ls "$@" /dev/ublkb* /dev/ublkc* /run/stillframe-ublk 2>/dev/null || true
  losetup -a
  ls /run
  engines
}

# Takes a snapshot with room for more than these tests change: snapshot DIRECTORY NAME.
snapshot() {
  mkdir -p -m 700 /tmp/cache
  call "$1" prepare '{"snapshot":"'"$2"'","cache":{"directory":"/tmp/cache","initialBytes":4194304,"maxBytes":268435456},"whenFull":"release","holdMs":0,"skipFreeBlocks":false}' >/dev/null
  call "$1" activate '{"snapshot":"'"$2"'"}' >/dev/null
}

# The device that an answer of the engine names.
device_of() {
  sed 's/.*"device":"\([^"]*\)".*/\1/'
}

# Makes a device of a snapshot's image, and prints it: image DIRECTORY NAME.
image() {
  stillframe-engine export --run-dir "$1" --snapshot "$2" | device_of
}

# After a script that failed: what engines have logged, and where each of their threads is.
last_words() {
  for log in /run/*/engine.log; do
    [ ! -e "$log" ] || { echo "--- $log"; tail -n 40 "$log"; }
  done
  for pid in $(engines); do
    for task in /proc/$pid/task/*; do
      echo "--- $task $(cat $task/comm) $(sed 's/.*) //' $task/stat | cut -d ' ' -f 1)"
      cat $task/stack
    done
  done 2>/dev/null
}
