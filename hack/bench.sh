#!/usr/bin/env bash
# Runs the benchmarks of the packages; then measures whole rounds against a real
# RocketMQ with very many topics and groups beside the bare requests
# (test/bench/round); then prints the table of sizes (test/bench/scale). The
# latter two take a quarter of an hour. $BENCH selects benchmarks by regular
# expression, $COUNT repeats them (benchstat wants 10); arguments go to the
# second part.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

go test -run '^$' -bench "${BENCH:-.}" -benchmem -count "${COUNT:-1}" -timeout 30m ./...

hack/install-tools.sh jdk maven
cd test
go run ./bench/round "$@"
go run ./bench/scale
