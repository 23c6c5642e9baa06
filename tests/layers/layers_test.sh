#!/usr/bin/env bash
# The layer check accepts this tree and refuses each kind of fault with one line that says what to do.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

check() { cmake -DROOT="$1" -P "$root/cmake/check_rooms.cmake" 2>&1; }
expect() { # what-it-shows  text-that-must-appear
  local out lines
  if out=$(check "$scratch/tree"); then echo "not refused: $1"; exit 1; fi
  grep -qF -- "$2" <<< "$out" || { echo "wrong message for $1:"; echo "$out"; exit 1; }
  lines=$(grep -cE '^[a-z].*: ' <<< "$(grep -v 'layer check failed' <<< "$out" | grep -E '^(src|connectors)/')")
  [ "$lines" = 1 ] || { echo "expected one line for $1, got $lines:"; echo "$out"; exit 1; }
}
fresh() { rm -rf "$scratch/tree"; mkdir -p "$scratch/tree/src/base" "$scratch/tree/src/facts" "$scratch/tree/connectors"; }

check "$root" > /dev/null || { check "$root"; exit 1; }

fresh; mkdir "$scratch/tree/src/common"
expect "a folder not in the table" "src/common: not a room; add a row"

fresh; echo '#include "base/hash.h"' > "$scratch/tree/src/facts/x.cc"
expect "a header that is not the door" 'include its door "base/base.h" instead'

fresh; echo '#include <hiredis/hiredis.h>' > "$scratch/tree/src/facts/x.cc"
expect "a vendor's header outside its owner" "belongs to the room(s) store; call their door instead"

fresh; echo '#include "store/store.h"' > "$scratch/tree/src/facts/x.cc"
expect "a room that the row does not list" "facts may not use store"

fresh; echo '#include "nowhere/nowhere.h"' > "$scratch/tree/src/facts/x.cc"
expect "a room that does not exist" "nowhere is not a room"

echo "layer check: this tree passes, 5 kinds of fault are refused"
