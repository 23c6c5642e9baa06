#!/usr/bin/env bash
# Runs other engines on a set of zhitui-benchset and compares their answers with it, rule by rule:
#   run.sh SET
# One JSON object a line on stdout, as the engines print them, with `agrees` added; what cannot run is named on stderr.
# Programs and jars lie in ~/.cache/zhitui/bench; Go is found by tests/services/go.sh, Java and Maven have to be there.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
set=$(realpath "$1")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/zhitui/bench
mkdir -p "$cache"

say() { echo "run.sh: $*" >&2; }
judged() {
  jq -c --slurpfile want "$set/expected.json" \
    '. + {agrees: (.by_rule == ($want[0].by_rule | map_values(.peers)))} | del(.by_rule)'
}

celgo() {
  local go
  go=$("$here/../../services/go.sh")
  (cd "$here/celgo" && CGO_ENABLED=0 "$go" build -o "$cache/celgo" .)
  "$cache/celgo" "$set/peers.json" "$set/peers.ndjson"
}

drools() {
  command -v java > /dev/null && command -v mvn > /dev/null || { say "Drools needs java and mvn"; return 1; }
  local version libs
  version=$(sed -n 's|.*<drools.version>\(.*\)</drools.version>.*|\1|p' "$here/drools/pom.xml")
  libs=$cache/drools-$version
  if [ ! -d "$libs" ]; then # gathered aside and renamed into place: complete or absent
    local aside
    aside=$(mktemp -d "$libs.XXXXXX")
    mvn -B -q -ntp -f "$here/drools/pom.xml" dependency:copy-dependencies -DoutputDirectory="$aside" >&2
    mv -T "$aside" "$libs"
  fi
  # ecj comes with Drools: a JRE is enough.
  java -jar "$libs"/ecj-*.jar -17 -cp "$(printf '%s:' "$libs"/*.jar)" -d "$cache/classes" "$here/drools/Peer.java" >&2
  java -XX:+UseSerialGC -Xmx1g -cp "$cache/classes:$libs/*" Peer "$set/peers.json" "$set/peers.drl" "$set/peers.ndjson"
}

status=0
for peer in drools celgo; do
  say "$peer"
  $peer | judged || { say "$peer did not run"; status=1; }
done
exit $status
