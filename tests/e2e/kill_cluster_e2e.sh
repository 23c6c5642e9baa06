#!/usr/bin/env bash
# See kill.sh.
exec "$(dirname "$0")/kill.sh" cluster
