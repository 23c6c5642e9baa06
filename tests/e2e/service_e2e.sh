#!/usr/bin/env bash
# The service in real time: an event by HTTP becomes a message, the recommendations say the same, probes and metrics answer,
# SIGTERM drains and exits 0 within the deadline.
name=service
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
free_port; api_port=$port; free_port; admin_port=$port
sandbox "$work/accepted.ndjson"
: > "$work/none.ndjson"
config embedded "$work" service "$work/none.ndjson"
# No quiet hours: the message must go at once, whatever the hour of the test.
echo "planning: {quiet_from: '08:00', quiet_until: '08:00'}" >> "$work/zhitui.yaml"
"$bin/zhitui" serve --config "$work/zhitui.yaml" > "$work/serve.out" 2> "$work/serve.log" &
pid=$!; pids+=($pid)
until curl -sf "http://127.0.0.1:$admin_port/readyz" > /dev/null; do kill -0 $pid || die "serve died: $(tail -3 "$work/serve.log")"; sleep 0.05; done
api() { curl -s -H 'X-API-Key: synthetic-api-key-for-tests' "$@"; }
today=$(TZ=CST-8 date +%Y-%m-%dT%H:%M:%S+08:00)
birth=$(($(TZ=CST-8 date +%Y) - 75))-01-01
for agency in police self; do
  if [ $agency = police ]; then data='{"birth_date":"'$birth'","hukou":{"city":"440300"},"death_date":null}'
  else data='{"contacts":{"phone":"13800131234","app":null,"wechat":null},"consent":{"messages":true},"preferences":{"locale":"zh"}}'; fi
  # The contact first, so that the decision finds it.
  echo '{"specversion":"1.0","id":"'$agency'","source":"/agencies/'$agency'","type":"cn.gov.futian.resident.profile.replaced","subject":"r-1","time":"'"$today"'","data":'"$data"'}'
done | tac > "$work/two.ndjson"
answer=$(api -w ' %{http_code}' -H 'Content-Type: application/x-ndjson' --data-binary "@$work/two.ndjson" "http://127.0.0.1:$api_port/v1/events")
[ "${answer##* }" = 202 ] || die "POST /v1/events answered $answer"
for _ in $(seq 200); do [ -s "$work/accepted.ndjson" ] && break; sleep 0.05; done
[ "$(wc -l < "$work/accepted.ndjson")" = 1 ] || die "no message, or more than one, reached the simulator"
jq -r '"message: \(.content | tostring)"' "$work/accepted.ndjson"
api "http://127.0.0.1:$api_port/v1/subjects/resident/r-1/recommendations" > "$work/recommendations.json"
jq -e '.eligible | map(.rule) | index("senior-allowance")' "$work/recommendations.json" > /dev/null || die "the recommendations do not say what was pushed: $(cat "$work/recommendations.json")"
[ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$api_port/v1/subjects/resident/r-1/recommendations")" = 401 ] || die "no key, and no 401"
# The message can be out before the batch that decided it is through and counted.
counted() { curl -s "http://127.0.0.1:$admin_port/metrics" > "$work/metrics.txt" && grep -q '^zhitui_decisions_total 1$' "$work/metrics.txt"; }
for _ in $(seq 100); do counted && break; sleep 0.05; done
counted || die "the metrics do not count the decision: $(grep decisions "$work/metrics.txt")"
grep -qE 'r-1|13800131234' "$work/serve.log" && die "a log line names a resident"
begin=$SECONDS
kill -TERM $pid
code=0; wait $pid || code=$?
[ "$code" = 0 ] || die "SIGTERM: exit code $code"
echo "service: event, message, recommendation, 401, metrics, SIGTERM exits 0 after $((SECONDS - begin)) s"
