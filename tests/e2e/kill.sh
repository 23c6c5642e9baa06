#!/usr/bin/env bash
# kill -9 of `zhitui serve` at random moments: kill.sh embedded|cluster [KILLS] [RESIDENTS].
# The decisions and the simulator's log must be the same sets as those of a run that nobody disturbed; a send caught
# between intent and outcome may be unknown and is listed.
name=kill_$1
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
kind=$1 kills=${2:-20} residents=${3:-3000}
events=$work/events.ndjson
months=3 until=$(end_of 3)
population "$events" "$residents" "$months" 5 --magic-rate 0
free_port; api_port=$port; free_port; admin_port=$port
[ "$kind" = embedded ] || services

serve() { # dir
  exec "$bin/zhitui" serve --config "$1/zhitui.yaml" --clock 2026-03-01T00:00+08:00 --until "$until" --speed max --json
}
prepare() { # NAME
  mkdir -p "$work/$1"
  sandbox "$work/$1/accepted.ndjson"
  config "$kind" "$work/$1" "$1" "$events"
  [ "$kind" = embedded ] || "$bin/zhitui" ingest --config "$work/$1/zhitui.yaml" "$events" > /dev/null 2>&1
}
collect() { # NAME
  decisions_of "$work/$1" > "$work/$1/decisions.txt"
  attempts_of "$work/$1/accepted.ndjson" > "$work/$1/attempts.txt"
  "$bin/zhitui" ledger --config "$work/$1/zhitui.yaml" --json > "$work/$1/ledger.json"
  stop_sandbox
}

note "undisturbed run ($kind)"
prepare calm
begin=$(date +%s%N)
(serve "$work/calm") > "$work/calm/summary.json" 2> "$work/calm/serve.log" || die "the undisturbed run failed: $(tail -3 "$work/calm/serve.log")"
calm_ms=$((($(date +%s%N) - begin) / 1000000))
collect calm

# One life of `serve` after the other until a run is through. A fast machine may be through before all the kills: then the
# next round begins afresh, and each round is compared with the calm run.
RANDOM=4711
disturbed() { # NAME
  prepare "$1"
  while :; do
    (serve "$work/$1") > "$work/$1/summary.json" 2>> "$work/$1/serve.log" &
    local pid=$! life=$((100 + (RANDOM % 1000) * calm_ms * 2 / kills / 1000))
    if [ "$done_kills" -lt "$kills" ]; then
      sleep "$(printf '%d.%03d' $((life / 1000)) $((life % 1000)))"
      if kill -9 "$pid" 2> /dev/null; then
        # A process that ended by itself before the signal is still there to be waited for, and was not killed.
        local code=0; wait "$pid" 2> /dev/null || code=$?
        [ "$code" != 0 ] || break
        [ "$code" = 137 ] || die "serve ended by itself with code $code: $(tail -3 "$work/$1/serve.log")"
        done_kills=$((done_kills + 1))
        continue
      fi
    fi
    if wait "$pid"; then break; fi
    die "serve ended by itself with an error: $(tail -3 "$work/$1/serve.log")"
  done
  collect "$1"
}

# The names of the notifications in a list of attempts.
notified() { sed 's/-[0-9]*$//' "$1" | sort -u; }
differences=0
compare() { # NAME
  local calm=$work/calm shot=$work/$1
  lost_d=$(comm -23 "$calm/decisions.txt" "$shot/decisions.txt" | wc -l)
  new_d=$(comm -13 "$calm/decisions.txt" "$shot/decisions.txt" | wc -l)
  twice=$(uniq -d "$shot/attempts.txt" | wc -l)
  jq -r '.unknown[]' "$shot/ledger.json" | sort > "$shot/unknown.txt"
  # A message is lost when its notification reached nobody though it did in the calm run, unless it is listed as unknown.
  lost_m=$(comm -23 <(notified "$calm/attempts.txt") <(cat <(notified "$shot/attempts.txt") <(notified "$shot/unknown.txt") | sort -u) | wc -l)
  new_m=$(comm -13 <(notified "$calm/attempts.txt") <(notified "$shot/attempts.txt") | wc -l)
  doubled=$(comm -13 <(sed 's/-[0-9]*$//' "$calm/attempts.txt" | sort) <(sed 's/-[0-9]*$//' "$shot/attempts.txt" | sort) | wc -l)
  printf '%s: %d kills so far; decisions %d, lost %d, new %d; messages %d, lost %d, new %d, attempts seen twice %d, messages more often than in the calm run %d; unknown %d\n' \
    "$kind" "$done_kills" "$(wc -l < "$shot/decisions.txt")" "$lost_d" "$new_d" "$(wc -l < "$shot/attempts.txt")" "$lost_m" "$new_m" "$twice" "$doubled" "$(wc -l < "$shot/unknown.txt")"
  sed 's/^/  unknown: /' "$shot/unknown.txt"
  [ "$lost_d$new_d$lost_m$new_m$twice$doubled" = 000000 ] || differences=1
}

done_kills=0 round=0
while [ "$done_kills" -lt "$kills" ]; do
  round=$((round + 1))
  [ "$round" -le 10 ] || die "only $done_kills kills in ten rounds"
  note "round $round, $((kills - done_kills)) kills to go (the undisturbed run took $calm_ms ms)"
  disturbed "shot$round"
  compare "shot$round"
done
[ "$differences" = 0 ] || die "a disturbed run differs from the calm one"
