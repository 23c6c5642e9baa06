#!/usr/bin/env bash
# A real Apache Kafka (KRaft, controller and broker in one process, 127.0.0.1) from Maven artifacts.
#   kafka.sh libs               fetch the jars once (about 45 files, 43 MB)
#   kafka.sh up [NODES]         fresh data and a start, 1 node unless said otherwise; does nothing when already up.
#                               Prints the bootstrap list, and nothing else, on stdout
#   kafka.sh down               stop every node; the data and logs stay until the next up
#   kafka.sh stop|kill [NODE]   clean stop, or SIGKILL, of node 1 (or NODE)
#   kafka.sh start [NODE]       start it again on its old data and its old port
#   kafka.sh ps                 pid, memory and CPU seconds of each node
# Environment:
#   ZHITUI_RUN        data, logs and pids (default: build/run/kafka in this repository)
#   XDG_CACHE_HOME    the jars lie in zhitui/kafka/<version> below it (default: ~/.cache), shared by all checkouts
#   ZHITUI_KAFKA_HEAP heap of a node (default 512m)
# Ports are chosen free at `up` and remembered, so `start` comes back at the same address.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
run=$(realpath -m "${ZHITUI_RUN:-$here/../../../build/run/kafka}")
version=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$here/pom.xml")
libs=${XDG_CACHE_HOME:-$HOME/.cache}/zhitui/kafka/$version
heap=${ZHITUI_KAFKA_HEAP:-512m}
cluster_id=MkU3OEVBNTcwNTJENDM2Qg

say() { echo "kafka.sh: $*" >&2; }
fail() { say "$*"; exit 1; }

# The jars are complete or absent: they are gathered aside and renamed into place.
fetch_libs() {
  [ ! -d "$libs" ] || return 0
  command -v java > /dev/null || fail "java is missing: install a JRE 17 or newer"
  command -v mvn > /dev/null || fail "mvn is missing: install Maven"
  say "fetching Kafka $version"
  mkdir -p "$(dirname "$libs")"
  local aside
  aside=$(mktemp -d "$libs.XXXXXX")
  if ! mvn -B -q -ntp -Dstyle.color=never -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$aside" >&2; then
    rm -rf "$aside"
    fail "Maven could not fetch Kafka $version"
  fi
  chmod 755 "$aside"
  mv -T "$aside" "$libs" 2> /dev/null || rm -rf "$aside" # another checkout was faster
  [ -d "$libs" ] || fail "cannot write $libs"
}

nodes() { ls "$run" 2> /dev/null | grep -E '^[0-9]+$' || true; }
port() { cat "$run/$1/port"; }
bootstrap() {
  local list='' i
  for i in $(nodes); do list+=${list:+,}127.0.0.1:$(port "$i"); done
  echo "$list"
}

# The pid file names a live node (a pid may have been reused by something else).
alive() {
  [ -s "$run/$1/pid" ] && grep -qz '^kafka\.Kafka$' "/proc/$(cat "$run/$1/pid")/cmdline" 2> /dev/null
}
all_alive() {
  local i any=1
  for i in $(nodes); do
    alive "$i" || return 1
    any=0
  done
  return $any
}

# Two neighbouring ports nobody listens on, away from the range of outgoing connections (32768 and up).
free_ports() {
  local p used
  used=$(awk '$4 == "0A" {n = split($2, a, ":"); print a[n]}' /proc/net/tcp /proc/net/tcp6 2> /dev/null || true)
  while :; do
    p=$((10000 + RANDOM % 20000))
    grep -qiE "^($(printf '%04X' $p)|$(printf '%04X' $((p + 1))))$" <<< "$used" || break
  done
  echo $p
}

configure() { # node count
  local voters='' i rf=1
  [ "$2" -lt 3 ] || rf=3
  for ((i = 1; i <= $2; i++)); do voters+=${voters:+,}$i@127.0.0.1:$(($(port "$i") + 1)); done
  sed -e "s|@ID@|$1|; s|@PORT@|$(port "$1")|; s|@CPORT@|$(($(port "$1") + 1))|; s|@VOTERS@|$voters|" \
    -e "s|@DIR@|$run/$1/data|; s|@RF@|$rf|; s|@MINISR@|$((rf > 1 ? 2 : 1))|" "$here/server.properties.in" > "$run/$1/server.properties"
}

launch() { # node; setsid: the node outlives the shell, exec keeps the pid, 9 is the lock
  cd "$run/$1"
  rm -f pid
  : > log
  setsid bash -c 'echo $$ > pid; exec java "$@"' x -Xms"$heap" -Xmx"$heap" -XX:+UseG1GC -XX:MaxGCPauseMillis=20 \
    -Dlog4j2.configurationFile="$here/log4j2.properties" -cp "$libs/*" kafka.Kafka server.properties \
    >> log 2>&1 < /dev/null 9>&- &
}

ready() { # node: the quorum has elected, the broker has registered, was unfenced and takes requests
  local i
  for ((i = 0; i < 1200; i++)); do
    if grep -q 'Kafka Server started' "$run/$1/log" 2> /dev/null; then return 0; fi
    if [ "$i" -ge 20 ] && ! alive "$1"; then
      tail -20 "$run/$1/log" >&2
      say "node $1 died"
      return 1
    fi
    sleep 0.1
  done
  say "node $1 is not ready after 120 s, see $run/$1/log"
  return 1
}

gone() { # node tenths-of-a-second
  local i
  for ((i = 0; i < $2; i++)); do
    alive "$1" || return 0
    sleep 0.1
  done
  return 1
}

stop_all() {
  local i
  for i in $(nodes); do
    if alive "$i"; then kill "$(cat "$run/$i/pid")" 2> /dev/null || true; fi
  done
  for i in $(nodes); do
    gone "$i" 150 || kill -9 "$(cat "$run/$i/pid")" 2> /dev/null || true
    gone "$i" 50 || fail "node $i does not die"
  done
}

start_fresh() { # count
  local i
  for i in $(nodes); do rm -rf "${run:?}/$i"; done
  for ((i = 1; i <= $1; i++)); do
    mkdir -p "$run/$i"
    free_ports > "$run/$i/port"
  done
  for ((i = 1; i <= $1; i++)); do
    configure "$i" "$1"
    java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dkafka.loglevel=WARN \
      -Dlog4j2.configurationFile="$here/log4j2.properties" -cp "$libs/*" kafka.tools.StorageTool format -t $cluster_id \
      -c "$run/$i/server.properties" > "$run/$i/format.log" 2>&1 || { cat "$run/$i/format.log" >&2; return 1; }
  done
  for ((i = 1; i <= $1; i++)); do (launch "$i"); done
  for ((i = 1; i <= $1; i++)); do ready "$i" || return 1; done
}

lock() { # one up, down, start, stop or kill at a time
  mkdir -p "$run"
  exec 9> "$run/lock"
  flock 9
}

node=${2:-1}
case "${1:-}" in
  libs) fetch_libs ;;
  up)
    fetch_libs
    lock
    if ! all_alive; then
      stop_all
      # A port may be taken between the choice and the bind: choose again.
      start_fresh "$node" || { stop_all; start_fresh "$node"; } || { stop_all; fail "no start"; }
    fi
    bootstrap
    ;;
  down)
    [ -d "$run" ] || exit 0
    lock
    stop_all
    ;;
  start)
    lock
    [ -f "$run/$node/server.properties" ] || fail "node $node was never up"
    alive "$node" || { (launch "$node"); ready "$node"; }
    ;;
  stop)
    lock
    if alive "$node"; then kill "$(cat "$run/$node/pid")"; fi
    gone "$node" 300 || fail "node $node does not stop"
    ;;
  kill)
    lock
    if alive "$node"; then kill -9 "$(cat "$run/$node/pid")"; fi
    gone "$node" 50 || fail "node $node does not die"
    ;;
  ps)
    for i in $(nodes); do
      alive "$i" || continue
      p=$(cat "$run/$i/pid")
      echo "node $i port $(port "$i") pid $p rss_kb $(awk '/VmRSS/{print $2}' "/proc/$p/status")" \
        "cpu_s $(awk -v hz="$(getconf CLK_TCK)" '{print ($14 + $15) / hz}' "/proc/$p/stat")"
    done
    ;;
  *)
    sed -n '2,16p' "$0"
    exit 2
    ;;
esac
