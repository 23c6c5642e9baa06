# Shared by the scripts of this folder: programs, free ports, the simulator, configurations for both back ends, counting.
# Source it after setting `name`. Everything a script makes is under build/e2e/$name.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=$root/build/release
work=$root/build/e2e/$name
export ZHITUI_RUN=
pids=()

die() { echo "$name: $*" >&2; exit 1; }
note() { echo "-- $*" >&2; }
cleanup() {
  local p
  for p in "${pids[@]}"; do kill "$p" 2> /dev/null || true; done
  for p in "${pids[@]}"; do wait "$p" 2> /dev/null || true; done
  if [ -n "${kafka_up:-}" ]; then ZHITUI_RUN=$work/kafka "$root/tests/services/kafka/kafka.sh" down || true; fi
  if [ -n "${redis_up:-}" ]; then ZHITUI_RUN=$work/redis "$root/tests/services/redis.sh" down || true; fi
}
trap cleanup EXIT
rm -rf "$work"; mkdir -p "$work"

# A port nobody listens on. Two scripts do not run at once, so nobody takes it before its owner does.
next_port=$((20000 + ($$ % 400) * 25))
free_port() {
  while (exec 3<> "/dev/tcp/127.0.0.1/$next_port") 2> /dev/null; do next_port=$((next_port + 1)); done
  port=$next_port; next_port=$((next_port + 1))
}

services() { # a Kafka and a Redis of this script's own
  note "starting Kafka and Redis"
  "$root/tests/services/kafka/kafka.sh" libs > /dev/null
  kafka=$(ZHITUI_RUN=$work/kafka "$root/tests/services/kafka/kafka.sh" up); kafka_up=1
  redis=$(ZHITUI_RUN=$work/redis "$root/tests/services/redis.sh" up); redis_up=1
}

sandbox() { # LOG [options]  the provider simulator; sets sandbox_port
  local log=$1; shift
  rm -f "$work/sandbox.port"
  "$bin/zhitui-sandbox" --port 0 --port-file "$work/sandbox.port" --log "$log" --threads 64 \
    --callback-base "http://127.0.0.1:$api_port" --wechat-callback-token synthetic-callback-token \
    --aliyun-callback-key synthetic-callback-key "$@" > "$work/sandbox.out" 2>&1 &
  pids+=($!); sandbox_pid=$!
  for _ in $(seq 200); do [ -s "$work/sandbox.port" ] && break; sleep 0.05; done
  [ -s "$work/sandbox.port" ] || die "the simulator did not start: $(cat "$work/sandbox.out")"
  sandbox_port=$(cat "$work/sandbox.port")
}
stop_sandbox() { kill "$sandbox_pid" 2> /dev/null || true; wait "$sandbox_pid" 2> /dev/null || true; }

# Provider ids for the logical template names that the messages use.
templates() { # wechat|sms PREFIX
  local n=0 t
  for t in $(awk -v s="$1:" '$1 ~ /^(app|wechat|sms):$/ {in_it = ($1 == s)} in_it && $1 == "template:" {print $2}' "$root"/rules/messages/*.yaml | sort -u); do
    n=$((n + 1)); printf '      %s: %s%06d\n' "$t" "$2" "$n"
  done
}

config() { # embedded|cluster FOLDER NAME EVENTS  writes FOLDER/zhitui.yaml; for cluster NAME keeps topics and keys apart
  local kind=$1 dir=$2 id=$3 events=$4
  mkdir -p "$dir"
  {
    echo "service: {instance: $id-0}"
    echo "rules: {dir: $root/rules}"
    echo "decide: {lanes: 2}"
    echo "delivery: {threads: 16, queue: 512, sends_in_flight: 512, query_again_ms: 50, receipt_wait_ms: 3000}"
    echo "api:"
    echo "  port: $api_port"
    echo "  admin_port: $admin_port"
    echo "  keys: [{name: tests, key: synthetic-api-key-for-tests, scopes: [events:write, recommendations:read, evaluate]}]"
    echo "log: {format: json, level: info}"
    if [ "$kind" = embedded ]; then
      echo "input: {topics: [{kind: resident, topic: residents}], files: [{name: residents-file, path: $events, kind: resident}]}"
      echo "store: {type: sqlite, sqlite: {path: $dir/zhitui.db, synchronous: normal}}"
      echo "stream: {type: embedded}"
    else
      echo "input: {topics: [{kind: resident, topic: $id-residents}]}"
      echo "store: {type: redis, redis: {host: ${redis%:*}, port: ${redis#*:}, key_prefix: $id}}"
      echo "stream: {type: kafka, kafka: {brokers: '$kafka', group: $id, partitions: 8, replication: 1, session_timeout_ms: 6000}}"
      echo "topics: {decisions: $id-decisions, deliveries: $id-deliveries, dead_letters: $id-dead-letters, contacts: $id-contacts, subscription_prefix: $id-topic., ledger: $id-ledger}"
    fi
    echo "connectors:"
    echo "  jpush: {base_url: 'http://127.0.0.1:$sandbox_port', app_key: $jpush_key, master_secret: $jpush_secret, show: full}"
    echo "  wechat:"
    echo "    base_url: http://127.0.0.1:$sandbox_port"
    echo "    app_id: $wechat_appid"
    echo "    secret: $wechat_secret"
    echo "    callback_token: synthetic-callback-token"
    echo "    templates:"
    templates wechat TPL_
    echo "  aliyun:"
    echo "    base_url: http://127.0.0.1:$sandbox_port"
    echo "    access_key_id: testid"
    echo "    access_key_secret: testsecret"
    echo "    sign_name: 福田政务"
    echo "    callback_key: synthetic-callback-key"
    echo "    settle_time_ms: 1000"
    echo "    templates:"
    templates sms SMS_
  } > "$dir/zhitui.yaml"
  "$bin/zhitui" config check --config "$dir/zhitui.yaml" > "$dir/config.out" 2>&1 || { cat "$dir/config.out" >&2; die "the configuration is not accepted"; }
}

# Defaults of the simulator, which are synthetic.
default_of() { "$bin/zhitui-sandbox" --help | sed -n "s/.*--$1 TEXT=\([^ ]*\).*/\1/p" | sed -n 1p; }
jpush_key=$(default_of jpush-app-key) jpush_secret=$(default_of jpush-master-secret)
wechat_appid=$(default_of wechat-appid) wechat_secret=$(default_of wechat-secret)

population() { # FILE RESIDENTS MONTHS [SEED] [options]
  local file=$1 n=$2 months=$3 seed=${4:-1}
  "$bin/zhitui-population" --residents "$n" --seed "$seed" --from 2026-03-01 --months "$months" --out "$file" --summary "$file.json" "${@:5}"
}

end_of() { # MONTHS -> the last instant of the window
  date -u -d "2026-03-01 +$1 months -1 day" +%Y-%m-%dT23:59:00+08:00
}

attempts_of() { jq -r .attempt_id "$1" | sort; }               # simulator log -> accepted attempt ids
decisions_of() { "$bin/zhitui" decisions --config "$1/zhitui.yaml" | sort -u; }
