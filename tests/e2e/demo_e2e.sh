#!/usr/bin/env bash
# The demo on both back ends, smaller: every number agrees, and both give the same decisions and the same messages.
exec "$(dirname "$0")/demo.sh" --residents 4000 --months 4 --seed 7 --cluster --quiet
