# What scripts in the machine may call. Sourced before the script, which runs with -e.

# Process ids of engines, a standby included: the children of keepers.
engines() {
  for file in /proc/[0-9]*/cmdline; do
    if tr '\0' ' ' <"$file" 2>/dev/null | grep -q ' serve '; then
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
