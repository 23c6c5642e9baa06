#!/usr/bin/env bash
# Prints the node_modules folder that holds the npm package smpp (an independent SMPP implementation for tests); it is
# installed into the cache where it is missing. Idempotent.
set -euo pipefail
version=0.5.1
folder=${XDG_CACHE_HOME:-$HOME/.cache}/zhitui/npm-smpp-$version
if [ ! -f "$folder/node_modules/smpp/package.json" ]; then
  command -v node > /dev/null && command -v npm > /dev/null ||
    { echo "npm.sh: node and npm are not installed" >&2; exit 69; }
  mkdir -p "$folder"
  exec 9> "$folder/lock"
  flock 9
  timeout 50 npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent "smpp@$version" >&2 ||
    { echo "npm.sh: the npm package smpp $version cannot be installed" >&2; exit 69; }
fi
echo "$folder/node_modules"
