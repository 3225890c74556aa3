#!/bin/sh
# Makes this machine a host of a Stillframe console: fetches the console's own worker and engine into /opt/stillframe
# (STILLFRAME_PREFIX), and has them join. The console's page Hosts makes the command, with a token good for one machine:
#
#   curl -fsS https://console.example:4643/join.sh | sudo sh -s -- https://console.example:4643 TOKEN [options]
#
# Options are those of `stillframe host join`. Where the console's certificate is from an authority of your own, name its
# file in NODE_EXTRA_CA_CERTS.
set -eu

refuse() {
  printf 'stillframe: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '  %s\n' "$2" >&2
  exit 1
}

# In a function, so that a script that arrives in part does nothing.
main() {
  [ $# -ge 2 ] || refuse "The console's address and a token are missing." "Copy the whole command from the console: Hosts, Add a host."
  console=${1%/}
  token=$2
  shift 2
  case $token in *[!A-Za-z0-9_-]*) refuse "This is not a token." "Copy the whole command from the console." ;; esac
  [ "$(uname -s)" = Linux ] || refuse "Stillframe works with Linux file systems only."
  [ "$(id -u)" = 0 ] || refuse "Stillframe freezes and mounts file systems, so it runs as root." "Begin the second half with sudo: | sudo sh -s -- ..."
  for program in curl tar gzip; do
    command -v "$program" >/dev/null || refuse "There is no $program." "Install it: apt-get install $program"
  done
  command -v node >/dev/null || refuse "There is no Node." "Install Node 20.9 or newer (in Debian 13: apt-get install nodejs)."
  node -e 'const [major, minor] = process.versions.node.split("."); process.exit(+major > 20 || (+major === 20 && +minor >= 9) ? 0 : 1)' ||
    refuse "Node $(node --version) is too old." "Install Node 20.9 or newer."

  prefix=${STILLFRAME_PREFIX:-/opt/stillframe}
  mkdir -p "$prefix/releases"
  release=$(mktemp -d "$prefix/releases/XXXXXXXX")
  # A release that did not come to be used leaves nothing.
  trap '[ "$(readlink -f "$prefix/current")" = "$(readlink -f "$release")" ] || rm -rf "$release"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  fetch "$console" "$token" "$release"
  STILLFRAME_JOIN_TOKEN=$token node "$release/dist/cli.js" host join "$console" "$@"
}

# The token goes to curl by its standard input: a command line can be read by everybody on the machine.
fetch() {
  printf 'stillframe: fetching the program from %s\n' "$1" >&2
  archive=$3/program.tar.gz
  [ -z "${NODE_EXTRA_CA_CERTS-}" ] || CURL_CA_BUNDLE=$NODE_EXTRA_CA_CERTS
  export CURL_CA_BUNDLE=${CURL_CA_BUNDLE-}
  [ -n "$CURL_CA_BUNDLE" ] || unset CURL_CA_BUNDLE
  status=$(printf 'header = "Authorization: Bearer %s"\n' "$2" |
    curl -sS -K - -o "$archive" -w '%{http_code}' "$1/api/join/program?machine=$(uname -m)") ||
    refuse "The program could not be fetched from $1." "Is that the console's address, as this machine reaches it?"
  [ "$status" = 200 ] || refuse "The console refused ($status): $(cut -c 1-500 "$archive")"
  tar -xzf "$archive" -C "$3"
  rm "$archive"
}

main "$@"
