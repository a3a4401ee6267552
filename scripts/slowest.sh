#!/bin/sh
# Prints the slowest tests of cargo-nextest's last run, with their seconds: those to make faster first.
#
#   scripts/slowest.sh [HOW MANY]

cd "$(dirname "$0")/.." || exit 1
report=${CARGO_TARGET_DIR:-target}/nextest/default/junit.xml
[ -f "$report" ] || exit 0
printf '\nThe slowest tests, in seconds:\n'
sed -n 's/.*<testcase name="\([^"]*\)".* time="\([0-9.]*\)".*/\2 \1/p' "$report" | sort -rn | head -n "${1:-10}" |
    awk '{ printf "%8.1f  %s\n", $1, $2 }'
