# Building and `make demo` need Go and nothing else. Everything else installs
# what it needs first, see hack/install-tools.sh. `make` alone lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Two cores are soon busy, and the outputs of checks should not mix.
.NOTPARALLEL:

export PATH := $(CURDIR)/.tools/bin:$(PATH)

# The exporter, the module with the tests against a real RocketMQ, and the one
# with rules and boards.
MODULES := . test observability

# What `rocketmq_exporter --version` says. Each is made from the commit alone,
# so that the same commit gives the same binary anywhere; outside a git
# repository they stay empty. Set them to override.
VERSION    ?= $(shell cat VERSION)
REVISION   ?= $(shell git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null)
BRANCH     ?= $(shell git branch --show-current 2>/dev/null)
BUILD_USER ?= make
BUILD_DATE ?= $(shell TZ=UTC0 git log -1 --date=format-local:%Y%m%d-%H:%M:%S --format=%cd 2>/dev/null)

STAMP := github.com/prometheus/common/version
LDFLAGS = -s -w \
	-X $(STAMP).Version=$(VERSION) \
	-X $(STAMP).Revision=$(REVISION) \
	-X $(STAMP).Branch=$(BRANCH) \
	-X $(STAMP).BuildUser=$(BUILD_USER) \
	-X $(STAMP).BuildDate=$(BUILD_DATE)

##@ Use

.PHONY: build
build: ## static binary ./rocketmq_exporter
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o rocketmq_exporter ./cmd/rocketmq_exporter

.PHONY: demo
demo: build ## the exporter beside a fake cluster with a backlog of every kind
	./rocketmq_exporter demo

##@ Test

.PHONY: test
test: tools test-unit test-race test-observability test-real ## everything; installs what it needs

.PHONY: test-unit
test-unit: ## tests of the exporter, with the seeds of the fuzz targets
	go test ./...

.PHONY: test-race
test-race: ## the same under the race detector; needs a C compiler
	CGO_ENABLED=1 go test -race ./...

.PHONY: test-fuzz-seeds
test-fuzz-seeds: ## only the seeds of the fuzz targets
	go test -run '^Fuzz' ./...

# Never from the cache, as below.
.PHONY: test-observability
test-observability: ## rules and boards, on the demo and in a real Prometheus
	cd observability && go test -count=1 -parallel 4 -timeout 10m ./...

# Never from the cache: what these tests look at is outside of Go's sight.
.PHONY: test-real
test-real: ## against real RocketMQ brokers; needs a JDK and Maven
	cd test && go test -count=1 -timeout 20m ./...

FUZZTIME ?= 60s
.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (60s) each
	FUZZTIME=$(FUZZTIME) hack/fuzz.sh

.PHONY: bench
bench: ## benchmarks of packages, rounds against a real RocketMQ, and the table of sizes
	hack/bench.sh

.PHONY: bench-scale
bench-scale: ## only the table: rounds, scrapes, memory and time at 1k to 1M rows
	cd test && go run ./bench/scale

.PHONY: soak
soak: ## 20 minutes of churn at 225k rows: memory must be flat
	cd test && go run ./bench/soak

##@ Check

.PHONY: check
check: tools-check check-format check-vet check-lint check-imports check-generated check-modules check-rules check-shell ## all of the below

.PHONY: check-format
check-format: ## gofmt
	gofmt -l . | { ! grep .; }

.PHONY: check-vet
check-vet: ## go vet
	for module in $(MODULES); do (cd $$module && go vet ./...); done

.PHONY: check-lint
check-lint: ## golangci-lint
	for module in $(MODULES); do (cd $$module && golangci-lint run --config $(CURDIR)/.golangci.yml ./...); done

.PHONY: check-imports
check-imports: ## import directions, and that only reading requests are used
	go test ./internal/archtest

.PHONY: check-generated
check-generated: ## generated files are what `make generate` writes
	hack/check-generated.sh $(MODULES)

.PHONY: check-modules
check-modules: ## go.mod and go.sum are tidy
	for module in $(MODULES); do (cd $$module && go mod tidy -diff); done

.PHONY: check-rules
check-rules: ## scrape configurations, rules, and when alerts fire
	for config in static shards probe; do promtool check config observability/prometheus/$$config.yml; done
	promtool check rules observability/rules/*.yml
	promtool test rules observability/rules/tests/*_test.yml

.PHONY: check-shell
check-shell: ## shellcheck
	shellcheck .ci/run hack/*.sh

##@ Care

.PHONY: generate
generate: ## write all generated files anew
	for module in $(MODULES); do (cd $$module && go generate ./...); done

.PHONY: tools
tools: ## install what checks and tests need, and only what is missing
	hack/install-tools.sh

.PHONY: tools-check
tools-check:
	hack/install-tools.sh shellcheck golangci-lint promtool

.PHONY: clean
clean: ## remove what was built and installed here
	rm -rf rocketmq_exporter dist .tools

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile
