#!/usr/bin/env bash
# A real single Redis for tests and the demo, durable as the store wants it.
#   redis.sh up     start it when it does not run; prints host:port and nothing else
#   redis.sh down   stop it; fine when it does not run
#   redis.sh port   print the port of the one that runs; exit 1 when none does
# Its files are in $ZHITUI_RUN (default: build/run/redis of this repository) and stay there, data too.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
run=${ZHITUI_RUN:-$repo/build/run/redis}
host=127.0.0.1

say() { printf '%s\n' "redis.sh: $*" >&2; }

need() {
  command -v "$1" >/dev/null || { say "$1 is not installed; install the packages redis-server and redis-tools"; exit 69; }
}

# The server of this folder and no other one that took the port over: it says its own pid.
running() {
  [[ -s $run/port && -s $run/redis.pid ]] || return 1
  local info
  info=$(timeout 5 redis-cli -h "$host" -p "$(<"$run/port")" INFO server 2>/dev/null) || return 1
  [[ $info == *"process_id:$(<"$run/redis.pid")"[$'\r\n']* ]]
}

port_is_free() { ! (exec 3<>"/dev/tcp/$host/$1") 2>/dev/null; }

start_on() { # port; true once it answers
  # Descriptor 9 is the lock of this script, which the server must not inherit.
  redis-server --port "$1" --bind "$host" --dir "$run" --daemonize yes --pidfile "$run/redis.pid" \
    --logfile "$run/redis.log" --appendonly yes --appendfsync always --save '' --maxmemory-policy noeviction \
    >/dev/null 9>&- || return 1
  printf '%s\n' "$1" >"$run/port"
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    running && return 0
    # A server that could not have the port has ended by now and says so in its log.
    ((tries < 20)) || [[ -s $run/redis.pid ]] || return 1
    sleep 0.1
  done
  return 1
}

up() {
  need redis-server
  need redis-cli
  if ! running; then
    rm -f "$run/redis.pid"
    local attempt port
    for ((attempt = 0; attempt < 50; attempt++)); do
      # Below 32768, where outgoing connections take theirs from.
      port=$((20000 + RANDOM % 12000))
      port_is_free "$port" || continue
      start_on "$port" && break
    done
    if ! running; then
      say "it does not start; its log is $run/redis.log"
      rm -f "$run/port"
      exit 69
    fi
  fi
  printf '%s:%s\n' "$host" "$(<"$run/port")"
}

down() {
  [[ -s $run/redis.pid ]] && command -v redis-cli >/dev/null || return 0
  if running; then
    local pid
    pid=$(<"$run/redis.pid")
    timeout 10 redis-cli -h "$host" -p "$(<"$run/port")" SHUTDOWN NOSAVE >/dev/null 2>&1 || true
    local tries
    for ((tries = 0; tries < 100; tries++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    if kill -0 "$pid" 2>/dev/null; then
      say "process $pid does not end; look at $run/redis.log"
      exit 69
    fi
  fi
  rm -f "$run/port" "$run/redis.pid"
}

port() {
  running || { say "it does not run; start it with: redis.sh up"; exit 1; }
  printf '%s\n' "$(<"$run/port")"
}

case ${1:-} in
  up | down | port)
    mkdir -p "$run"
    run=$(cd "$run" && pwd) # the server changes its folder
    exec 9>"$run/lock"
    flock 9
    "$1"
    ;;
  *)
    say "usage: redis.sh up|down|port"
    exit 64
    ;;
esac
