#!/usr/bin/env bash
# clang-tidy over the product's sources. A file whose text, headers and checks have not changed since it passed is skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${1:-build/dev}
stamps=${XDG_CACHE_HOME:-$HOME/.cache}/zhitui/tidy
mkdir -p "$stamps"
headers=$(find src connectors -name '*.h' -print0 | sort -z | xargs -0 cat .clang-tidy | sha256sum)
todo=()
for file in $(find src connectors -name '*.cc' | sort); do
  key=$( (echo "$headers"; cat "$file") | sha256sum | cut -c1-40)
  [ -e "$stamps/$key" ] || todo+=("$file:$key")
done
[ ${#todo[@]} -gt 0 ] || { echo "clang-tidy: nothing changed since it passed"; exit 0; }
echo "clang-tidy: ${#todo[@]} files"
export build stamps
# GCC's flags are unknown to clang-tidy only where they are warnings.
printf '%s\n' "${todo[@]}" | xargs -P "$(nproc)" -I{} bash -c '
  file=${1%:*} key=${1##*:}
  clang-tidy-19 --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations "$file" 2> /dev/null && touch "$stamps/$key"' _ {}
