#!/usr/bin/env bash
# The benchmarks, and one table in which each of our figures stands beside its floor and its peers:
#   bench.sh BUILD [--quick] [--no-peers] [--rules N] [--profiles N] [--seed N]
# BUILD is a build folder of the preset bench. Sets lie in build/benchset, one folder for each choice of parameters, and
# are made again when the generator changes. Everything the programs print is kept in build/benchset/results.
# Exit code 1: an engine's answers are not those that the set's own count says.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
build=$(realpath "$1"); shift
quick=0 peers=1 rules=431 profiles=100000 seed=1
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=1 profiles=20000 ;;
    --no-peers) peers=0 ;;
    --rules) rules=$2; shift ;;
    --profiles) profiles=$2; shift ;;
    --seed) seed=$2; shift ;;
    *) echo "bench.sh: $1 is not known; --quick, --no-peers, --rules N, --profiles N, --seed N" >&2; exit 64 ;;
  esac
  shift
done
sets=$root/build/benchset
results=$sets/results
mkdir -p "$results"
at=2026-03-01
failed=0

say() { printf '\033[1m-- %s\033[0m\n' "$*" >&2; }

# Makes the set of these parameters unless it is there; sets $set.
generator=$(cat "$root"/tests/bench/benchset/*.{cc,h} "$root"/tests/population/random.cc | sha256sum | cut -c1-16)
make_set() { # RULES PROFILES MISSING
  set=$sets/$1-rules-$2-residents-seed-$seed${3:+-missing-$3}
  [ "$(cat "$set/made-by" 2> /dev/null)" = "$generator" ] && return
  say "making ${set##*/}"
  local peer_profiles=5000
  [ $quick = 0 ] || peer_profiles=1000
  [ -z "$3" ] || peer_profiles=0
  "$build/zhitui-benchset" --out "$set" --rules "$1" --profiles "$2" --seed "$seed" --at $at --missing "${3:-0}" \
    --peer-profiles $peer_profiles >&2
  echo "$generator" > "$set/made-by"
}

# Runs `zhitui rules bench` on $set into results/NAME.json, and compares its pairs with the set's own count.
ours() { # NAME
  say "zhitui rules bench, ${set##*/}"
  if ! "$build/zhitui" rules bench --rules "$set/rules" --profiles "$set/profiles.ndjson" --at $at \
    --threads "$(nproc)" --json > "$results/$1.json"; then
    failed=1
    return
  fi
  local want got
  want=$(jq -c '[.eligible, .unknown]' "$set/expected.json")
  got=$(jq -c '[.eligible_pairs, .unknown_pairs]' "$results/$1.json")
  [ "$want" = "$got" ] && return
  echo "bench.sh: $1: eligible and unknown pairs are $got, the set's own count says $want" >&2
  failed=1
}

for bench in "$build"/*_bench; do
  name=${bench##*/}
  [ $quick = 1 ] && [ "$name" = store_bench ] && continue # fills files for minutes
  say "$name"
  time=(); [ $quick = 0 ] || time=(--benchmark_min_time=0.1)
  "$bench" "${time[@]}" --benchmark_out="$results/$name.json" --benchmark_out_format=json >&2 2> "$results/$name.log" ||
    { cat "$results/$name.log" >&2; exit 1; }
done

make_set "$rules" "$profiles" ""
main=$set
ours all-known
make_set "$rules" "$profiles" 0.1
ours missing
if [ $quick = 0 ]; then
  make_set 4000 20000 ""
  ours rules-4000
fi
: > "$results/peers.ndjson"
if [ $peers = 1 ]; then
  "$root/tests/bench/peers/run.sh" "$main" > "$results/peers.ndjson" ||
    echo "bench.sh: not every peer ran" >&2
  if ! jq -se 'all(.agrees)' "$results/peers.ndjson" > /dev/null; then
    echo "bench.sh: a peer's answers are not those of the set's own count" >&2
    failed=1
  fi
fi

row() { printf '%-52s %12s  %-28s %12s %10s\n' "$@"; }
# MEASURE OURS AGAINST THEIRS DIRECTION: the ratio says how many times ours the other is (peers), or ours the floor.
compare() {
  [ -n "$2" ] && [ "$2" != null ] && [ -n "$4" ] && [ "$4" != null ] || return 0
  row "$1" "$(printf '%.4g' "$2")" "$3" "$(printf '%.4g' "$4")" \
    "$(awk -v a="$2" -v b="$4" -v way="$5" 'BEGIN { printf way == "floor" ? "%.2f x it" : "it %.0f x", way == "floor" ? a / b : b / a }')"
}
figure() { jq -r ".$2 // empty" "$results/$1.json" 2> /dev/null || true; } # NAME KEY
floor() { # BENCHMARK: us per resident
  jq -r --arg n "$1" '.benchmarks[] | select(.name == $n) | .us_per_resident' "$results/floor_bench.json"
}
peer_rows() { # MEASURE OURS KEY
  local engine value
  while IFS=$'\t' read -r engine value; do
    compare "$1" "$2" "$engine" "$value" peer
  done < <(jq -r "[.engine, .$3] | @tsv" "$results/peers.ndjson")
}
alone() { # MEASURE OURS
  [ -z "$2" ] || row "$1" "$(printf '%.4g' "$2")" "" "" ""
}

echo
echo "$rules rules, $profiles residents, $(jq .eligible "$main/expected.json") pairs eligible; one core unless said; peers on" \
  "$(jq .peer_residents "$main/expected.json") residents, in time of the processor"
row measure zhitui against its ratio
row ------- ------ ------- --- -----
decoded=$(figure all-known event_us)
compare "per event, all rules, decoded: us per resident" "$decoded" "columns of bytes (floor)" "$(floor ColumnsFloor)" floor
peer_rows "per event, all rules, decoded: us per resident" "$decoded" us_per_resident
compare "decoding the JSON profile: us" "$(figure all-known decode_us)" "simdjson, no checks (floor)" \
  "$(floor DecodeFloorSimdjson)" floor
compare "decoding, time of the processor: us" "$(floor Decode/all_known)" "simdjson, no checks (floor)" \
  "$(floor DecodeFloorSimdjson)" floor
peer_rows "decoding the JSON profile: us" "$(figure all-known decode_us)" us_per_resident_decode
alone "per event, from the JSON profile: us per resident" "$(figure all-known event_json_us)"
alone "per event, a tenth of the facts missing: us" "$(figure missing event_us)"
alone "incremental, one fact changed: us" "$(figure all-known incremental_us)"
compare "population, in columns: us per resident" "$(figure all-known population_us)" "columns of bytes (floor)" \
  "$(floor ColumnsFloor)" floor
alone "population, $(nproc) threads against one: times" "$(figure all-known population_speedup)"
if [ $quick = 0 ]; then
  compare "4,000 rules: us per resident" "$(figure rules-4000 event_us)" "$rules rules" "$decoded" floor
  alone "loading 4,000 rules: ms" "$(figure rules-4000 load_ms)"
fi
alone "with reasons (rules::Evaluate): us per resident" "$(figure all-known definition_us)"
alone "loading the rules: ms" "$(figure all-known load_ms)"
peer_rows "loading the rules: ms" "$(figure all-known load_ms)" load_ms
peer_rows "memory of the rules: MB" "$(figure all-known load_bytes)" memory_mb
cmpp() { jq -r --arg k "$1" '.benchmarks[0][$k] // empty' "$results/cmpp_bench.json" 2> /dev/null || true; }
compare "CMPP, 4 connections, window 16: messages/s" "$(cmpp per_second)" "bare sockets (floor)" "$(cmpp floor_per_second)" floor
exit $failed
