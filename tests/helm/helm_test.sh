#!/usr/bin/env bash
# The chart passes helm lint, renders to the goldens beside this script, and its schema refuses what could not work.
# `helm_test.sh --write` writes the goldens anew after a change that was meant.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
chart=$here/../../helm/zhitui
helm=$("$here/../services/helm.sh")
render() { "$helm" template demo "$chart" "$@"; }

"$helm" lint --strict "$chart" > /dev/null || { "$helm" lint --strict "$chart"; exit 1; }
"$helm" lint --strict "$chart" -f "$here/values-cluster.yaml" > /dev/null

out=$(mktemp -d); trap 'rm -rf "$out"' EXIT
render > "$out/embedded.yaml"
render -f "$here/values-cluster.yaml" > "$out/cluster.yaml"
for name in embedded cluster; do
  if [ "${1:-}" = --write ]; then cp "$out/$name.yaml" "$here/golden-$name.yaml"; fi
  diff -u "$here/golden-$name.yaml" "$out/$name.yaml" || { echo "the chart renders $name otherwise than the golden"; exit 1; }
done

refused() { # what arguments...
  local what=$1; shift
  if render "$@" > /dev/null 2> "$out/err"; then echo "not refused: $what"; exit 1; fi
}
refused "two instances on one SQLite file" --set replicas=2
refused "an unknown value" --set replcas=1
refused "a rule file that is not YAML by name" --set 'rules.files.facts/resident\.txt=x'
refused "no instance at all" --set replicas=0
echo "chart: lint, 2 goldens, 4 refusals"
