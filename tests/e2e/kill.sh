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

note "run with $kills kills (undisturbed: $calm_ms ms)"
prepare shot
RANDOM=4711
done_kills=0
while :; do
  (serve "$work/shot") > "$work/shot/summary.json" 2>> "$work/shot/serve.log" &
  pid=$!
  if [ "$done_kills" -lt "$kills" ]; then
    # Each life is long enough to get somewhere and short enough that all the kills fall before the end.
    life=$((200 + (RANDOM % 1000) * calm_ms * 2 / kills / 1000))
    sleep "$(printf '%d.%03d' $((life / 1000)) $((life % 1000)))"
    if kill -9 "$pid" 2> /dev/null; then
      wait "$pid" 2> /dev/null || true
      done_kills=$((done_kills + 1))
      continue
    fi
  fi
  if wait "$pid"; then break; fi
  die "serve ended by itself with an error: $(tail -3 "$work/shot/serve.log")"
done
collect shot

lost_d=$(comm -23 "$work/calm/decisions.txt" "$work/shot/decisions.txt" | wc -l)
new_d=$(comm -13 "$work/calm/decisions.txt" "$work/shot/decisions.txt" | wc -l)
twice=$(uniq -d "$work/shot/attempts.txt" | wc -l)
jq -r '.unknown[]' "$work/shot/ledger.json" | sort > "$work/shot/unknown.txt"
# A message is lost when its notification reached nobody though it did in the calm run, unless it is listed as unknown.
notified() { sed 's/-[0-9]*$//' "$1" | sort -u; }
lost_m=$(comm -23 <(notified "$work/calm/attempts.txt") <(cat <(notified "$work/shot/attempts.txt") <(notified "$work/shot/unknown.txt") | sort -u) | wc -l)
new_m=$(comm -13 <(notified "$work/calm/attempts.txt") <(notified "$work/shot/attempts.txt") | wc -l)
doubled=$(comm -13 <(sed 's/-[0-9]*$//' "$work/calm/attempts.txt" | sort) <(sed 's/-[0-9]*$//' "$work/shot/attempts.txt" | sort) | wc -l)
printf '%s: %d kills; decisions %d, lost %d, new %d; messages %d, lost %d, new %d, attempts seen twice %d, messages more often than in the calm run %d; unknown %d\n' \
  "$kind" "$done_kills" "$(wc -l < "$work/shot/decisions.txt")" "$lost_d" "$new_d" "$(wc -l < "$work/shot/attempts.txt")" "$lost_m" "$new_m" "$twice" "$doubled" "$(wc -l < "$work/shot/unknown.txt")"
sed 's/^/  unknown: /' "$work/shot/unknown.txt"
[ "$done_kills" -ge "$kills" ] || die "only $done_kills kills before the end"
[ "$lost_d$new_d$lost_m$new_m$twice$doubled" = 000000 ] || die "the disturbed run differs"
