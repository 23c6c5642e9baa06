#!/usr/bin/env bash
# A CMPP gateway that others wrote (SMSGate, from Maven) on 127.0.0.1, to try the connector against.
#   cmpp.sh libs        fetch the jars once
#   cmpp.sh run PORT    run in the foreground until killed; one JSON line on stdout for each event, see Gateway.java
# Exit code 69: java with its compiler, or mvn, is not installed.
# Environment: XDG_CACHE_HOME, the jars lie in zhitui/smsgate/<version> below it (default: ~/.cache); ZHITUI_RUN, the
# folder in which the gateway keeps its files (default: build/run/cmpp in this repository).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
run=$(realpath -m "${ZHITUI_RUN:-$here/../../../build/run/cmpp}")
version=$(sed -n 's|.*<smsgate.version>\(.*\)</smsgate.version>.*|\1|p' "$here/pom.xml")
libs=${XDG_CACHE_HOME:-$HOME/.cache}/zhitui/smsgate/$version

say() { echo "cmpp.sh: $*" >&2; }

for tool in java javac mvn; do
  command -v $tool > /dev/null || { say "$tool is not installed; install openjdk-17-jdk-headless and maven"; exit 69; }
done

# The jars are complete or absent: they are gathered aside and renamed into place.
fetch_libs() {
  [ ! -d "$libs" ] || return 0
  say "fetching SMSGate $version"
  mkdir -p "$(dirname "$libs")"
  local aside
  aside=$(mktemp -d "$libs.XXXXXX")
  if ! mvn -B -q -ntp -Dstyle.color=never -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$aside" >&2; then
    rm -rf "$aside"
    say "Maven could not fetch SMSGate $version"
    exit 69
  fi
  chmod 755 "$aside"
  mv -T "$aside" "$libs" 2> /dev/null || rm -rf "$aside" # another checkout was faster
}

case ${1:-} in
  libs) fetch_libs ;;
  run)
    fetch_libs
    mkdir -p "$run"
    cd "$run" # the library keeps a store for unsent messages in its folder
    exec java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
      -cp "$libs/*" "$here/Gateway.java" "$2"
    ;;
  *)
    say "usage: cmpp.sh libs | run PORT"
    exit 64
    ;;
esac
