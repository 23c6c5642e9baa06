#!/usr/bin/env bash
# Bad events become one dead letter each, with a reason, and the next event is processed, on both back ends; a folder of rules with
# ten mistakes gives ten errors with file:line:col and exit code 78.
name=bad_input
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
event() { # ID SUBJECT TIME DATA [TYPE]
  printf '{"specversion":"1.0","id":"%s","source":"/agencies/police","type":"%s","subject":"%s","time":"%s","data":%s}\n' \
    "$1" "${5:-cn.gov.futian.resident.profile.replaced}" "$2" "$3" "$4"
}
events=$work/events.ndjson
at=2026-03-02T10:00:00+08:00
{
  event good-1 r-1 $at '{"birth_date":"1950-01-01","hukou":{"city":"440300"}}'
  echo '{"specversion":"1.0","id":"x", this is not JSON'
  event types r-2 $at '{"birth_date":19500101}'
  event kind r-3 $at '{}' cn.gov.futian.spaceship.profile.replaced
  # Exactly 2 MiB of text in one line.
  printf '{"specversion":"1.0","id":"big","source":"/agencies/police","type":"cn.gov.futian.resident.profile.replaced","subject":"r-4","time":"%s","data":{"name":"%s"}}\n' $at "$(head -c 2097152 /dev/zero | tr '\0' x)"
  event date r-5 $at '{"birth_date":"1950-02-30"}'
  event good-2 r-6 $at '{"birth_date":"1951-01-01","hukou":{"city":"440300"}}'
} > "$events"
free_port; api_port=$port; free_port; admin_port=$port
services
wrong=0
for kind in embedded cluster; do
  dir=$work/$kind; mkdir -p "$dir"
  sandbox "$dir/accepted.ndjson"
  config "$kind" "$dir" bad "$events"
  if [ "$kind" = cluster ]; then "$bin/zhitui" ingest --config "$dir/zhitui.yaml" "$events" > /dev/null; fi
  "$bin/zhitui" serve --config "$dir/zhitui.yaml" --clock 2026-03-01T00:00+08:00 --until 2026-03-03 --speed max --json > "$dir/summary.json" 2> "$dir/serve.log"
  "$bin/zhitui" dead-letters --config "$dir/zhitui.yaml" > "$dir/dead.ndjson"
  echo "$kind: $(jq -c '{events, applied, dead_letters, decisions}' "$dir/summary.json")"
  jq -r '"  \(.reason): \(.detail)"' "$dir/dead.ndjson"
  reasons=$(jq -r .reason "$dir/dead.ndjson" | sort | tr '\n' ' ')
  [ "$reasons" = "not_json too_large unknown_kind wrong_type wrong_type " ] || { echo "reasons: $reasons"; wrong=1; }
  [ "$(jq -r .applied "$dir/summary.json")" = 2 ] || { echo "the good events were not both applied"; wrong=1; }
  [ "$(jq -r '.decisions_by["senior-allowance eligible"]' "$dir/summary.json")" = 2 ] || { echo "the good events did not both decide"; wrong=1; }
  stop_sandbox
done

code=0; "$bin/zhitui" rules check "$root/tests/rules/bad_ten" > "$work/rules.out" 2>&1 || code=$?
cat "$work/rules.out"
[ "$code" = 78 ] || { echo "rules check exits $code, not 78"; wrong=1; }
n=$(grep -cE '^[^ ]+\.yaml:[0-9]+:[0-9]+: error' "$work/rules.out" || true)
[ "$n" = 10 ] || { echo "rules check reports $n errors, not 10"; wrong=1; }
[ "$(grep -cE '^ *hint: |expected .* such as' "$work/rules.out")" = 10 ] || { echo "not every error says what to write instead"; wrong=1; }
exit $wrong
