#!/usr/bin/env bash
# Every C++ file is formatted as .clang-format says; ./dev fmt repairs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
find src connectors tests \( -name '*.cc' -o -name '*.h' \) -print0 | xargs -0 clang-format-19 --dry-run -Werror
