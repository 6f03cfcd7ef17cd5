#!/usr/bin/env bash
# Runs the benchmarks: those of the packages, and those of test/bench, which
# measure the exporter as a whole process. $BENCH selects by regular expression
# (all), $COUNT repeats each (1; benchstat wants 10).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

run() {
  go test -run '^$' -bench "${BENCH:-.}" -benchmem -count "${COUNT:-1}" -timeout 30m "$@"
}

run ./...
if [ -d test/bench ]; then
  make --no-print-directory build
  (cd test && run ./bench/...)
fi
