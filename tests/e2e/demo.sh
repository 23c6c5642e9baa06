#!/usr/bin/env bash
# The main job, shown: synthetic residents, months under a driven clock, three channels through the provider simulator. Prints a
# table and exits non-zero when two numbers that must agree do not.
#   demo.sh [--residents N] [--months N] [--seed N] [--cluster] [--quiet]
# --cluster runs it again on a real Kafka and Redis and compares the decision ids.
name=demo
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
residents=20000 months=4 seed=1 cluster= quiet=
while [ $# -gt 0 ]; do
  case $1 in
    --residents) residents=$2; shift ;;
    --months) months=$2; shift ;;
    --seed) seed=$2; shift ;;
    --cluster) cluster=1 ;;
    --quiet) quiet=1 ;;
    *) sed -n '4,5p' "$0" >&2; exit 64 ;;
  esac
  shift
done
started=$(date +%s)
events=$work/events.ndjson
until=$(end_of "$months")

note "inventing $residents residents and $months months of their lives (seed $seed)"
population "$events" "$residents" "$months" "$seed"
lines=$(wc -l < "$events")
free_port; api_port=$port; free_port; admin_port=$port

run() { # embedded|cluster
  local kind=$1 dir=$work/$1
  mkdir -p "$dir"
  sandbox "$dir/accepted.ndjson"
  config "$kind" "$dir" "demo" "$events"
  sed -i 's/^log: .*/log: {format: text, level: warn}/' "$dir/zhitui.yaml"
  if [ "$kind" = cluster ]; then "$bin/zhitui" ingest --config "$dir/zhitui.yaml" "$events" >&2; fi
  note "serving $kind from 2026-03-01 to ${until%T*}"
  if [ -n "$quiet" ]; then exec 4> "$dir/serve.log"; else exec 4>&2; fi
  "$bin/zhitui" serve --config "$dir/zhitui.yaml" --clock 2026-03-01T00:00+08:00 --until "$until" --speed max --json \
    > "$dir/summary.json" 2>&4 || die "serve failed on the $kind back end"
  curl -sf "http://127.0.0.1:$sandbox_port/sandbox/stats" > "$dir/sandbox.json"
  "$bin/zhitui" ledger --config "$dir/zhitui.yaml" --json > "$dir/ledger.json"
  decisions_of "$dir" > "$dir/decisions.txt"
  "$bin/zhitui" dead-letters --config "$dir/zhitui.yaml" > "$dir/dead-letters.ndjson"
  stop_sandbox
}

wrong=0
check() { # WHAT LEFT RIGHT
  if [ "$2" = "$3" ]; then printf '  %-62s %10s  ok\n' "$1" "$2"; else printf '  %-62s %10s  NOT %s\n' "$1" "$2" "$3"; wrong=$((wrong + 1)); fi
}
number() { jq -r "$2 // 0" "$1"; }

report() { # embedded|cluster
  local dir=$work/$1 s=$work/$1/summary.json l=$work/$1/ledger.json
  echo
  echo "zhitui demo, $1 back end: $residents residents, 2026-03-01 to ${until%T*}"
  echo
  jq -r '"  events applied      \(.applied)  (of \(.events) read; \(.stale) overtaken by newer ones, \(.dead_letters) dead letters)",
         "  time events fired   \(.time_events)", "  rules evaluated     \(.evaluations)", "  decisions           \(.decisions)",
         "  requests sent       \(.attempts)", "  receipts            \(.receipts)"' "$s"
  echo
  printf '  %-34s %-16s %10s\n' "decisions by rule" transition count
  jq -r '.decisions_by | to_entries[] | "\(.key) \(.value)"' "$s" | while read -r rule transition n; do
    printf '  %-34s %-16s %10s\n' "$rule" "$transition" "$n"
  done
  echo
  printf '  %-34s %-16s %10s\n' "notifications by last channel" outcome count
  jq -r '.by_channel | to_entries[] | .key as $c | .value | to_entries[] | "\($c) \(.key) \(.value)"' "$l" | while read -r channel state n; do
    printf '  %-34s %-16s %10s\n' "$channel" "$state" "$n"
  done
  jq -r '.by_reason | to_entries[] | "\(.key) \(.value)"' "$l" | while read -r reason n; do
    printf '  %-34s %-16s %10s\n' "not sent, failed or expired" "$reason" "$n"
  done
  echo
  echo "  what must agree"
  check "events read = lines of the file" "$(number "$s" .events)" "$lines"
  check "every event has an effect, was there before, or is a dead letter" \
    "$(($(number "$s" .applied) + $(number "$s" .replayed) + $(number "$s" .dead_letters)))" "$lines"
  check "dead letters in the topic = dead letters counted" "$(wc -l < "$dir/dead-letters.ndjson")" "$(number "$s" .dead_letters)"
  check "distinct decisions in the topic = decisions made" "$(wc -l < "$dir/decisions.txt")" "$(number "$s" .decisions)"
  local c provider
  for c in aliyun:aliyun jpush:jpush wechat:wechat; do
    provider=${c#*:}
    check "$provider: accepted by the simulator = accepted in the ledger" \
      "$(jq -r --arg p "$provider" 'select(.provider == $p) | .attempt_id' "$dir/accepted.ndjson" | wc -l)" "$(number "$l" ".accepted_by_connector.${c%:*}")"
  done
  check "attempts the simulator saw twice" "$(attempts_of "$dir/accepted.ndjson" | uniq -d | wc -l)" 0
  check "attempts whose outcome is unknown" "$(jq '.unknown | length' "$l")" 0
}

show_message() {
  local dir=$work/embedded line id
  line=$(jq -c 'select(.provider == "jpush" and (.content | tostring | test("领取高龄津贴")))' "$dir/accepted.ndjson" | sed -n 1p)
  [ -n "$line" ] || line=$(head -1 "$dir/accepted.ndjson")
  id=$(jq -r '.attempt_id' <<< "$line"); id=${id%-*}
  echo
  echo "  one message as the resident sees it, and why ($(jq -r .provider <<< "$line"))"
  jq -r '.content | if .notification then .notification.android | .title, .alert else .text // tostring end' <<< "$line" | sed '/^$/d; s/^/    /'
  "$bin/zhitui" decisions --config "$dir/zhitui.yaml" --json | jq -c --arg id "$id" 'select(.notification == $id)' | sed -n 1p |
    jq -r '.criteria[]? | "    \(if .truth == "true" then "✓" else "✗" end) \(.label.zh)\(if .law then "（\(.law)）" else "" end)"'
}

run embedded
report embedded
show_message
if [ -n "$cluster" ]; then
  services
  run cluster
  report cluster
  echo
  echo "  embedded against cluster"
  check "decision ids that only one of them has" "$(comm -3 "$work/embedded/decisions.txt" "$work/cluster/decisions.txt" | wc -l)" 0
  check "accepted attempts that only one of them has" \
    "$(comm -3 <(attempts_of "$work/embedded/accepted.ndjson") <(attempts_of "$work/cluster/accepted.ndjson") | wc -l)" 0
fi
echo
echo "  took $(($(date +%s) - started)) s. Look next at:"
echo "    build/e2e/demo/embedded/accepted.ndjson   every message the simulator accepted"
echo "    build/e2e/demo/embedded/zhitui.yaml       the configuration; docs/config.md explains it"
echo "    rules/                                    the rules and messages; docs/rules.md"
[ "$wrong" = 0 ] || die "$wrong numbers do not agree"
