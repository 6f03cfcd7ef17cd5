# Building and `make demo` need Go and nothing else. Everything else installs
# what it needs first, see hack/install-tools.sh. `make` alone lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Two cores are soon busy, and the outputs of checks should not mix.
.NOTPARALLEL:

export PATH := $(CURDIR)/.tools/bin:$(PATH)

# The exporter, the module with the tests against a real RocketMQ, the one with
# rules and boards, and the one with what makes and tests packages, image, chart
# and manifests, which copies files that the one before makes; and what stands in
# for a module of others.
MODULES := . test observability deploy third_party/go-conntrack

# Where things go that are made to be shipped.
DIST ?= dist
# Where the image lives, without a tag; `make generate` tells the chart, the
# manifests and the documents.
IMAGE ?= $(shell cat deploy/IMAGE)
# What binaries and packages are made for.
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
ARCHES    ?= amd64 arm64

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
# Without Go's own stamp of the commit, which says nothing that the above does
# not and is another one outside of a git repository.
GOBUILD = CGO_ENABLED=0 go build -modfile='$(LEAN)' -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

# go.mod, and a stand-in for a module that makes binaries a fifth larger and is
# not used (docs/design.md has the figures). It is not in go.mod itself, where a
# replacement would take `go install` of a version away.
LEAN   = $(DIST)/lean.mod
UNUSED = github.com/mwitkow/go-conntrack=./third_party/go-conntrack

# What is made of binaries bears the commit's time, and not that of the day.
COMMITTED         ?= $(or $(shell TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null),1970-01-01T00:00:00Z)
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
HOME_PAGE         ?= https://$(shell go list -m)

# For the scripts that ship.
STAMPS = DIST='$(DIST)' IMAGE='$(IMAGE)' HOME_PAGE='$(HOME_PAGE)' COMMITTED='$(COMMITTED)' SOURCE_DATE_EPOCH='$(SOURCE_DATE_EPOCH)' \
	VERSION='$(VERSION)' REVISION='$(REVISION)' BRANCH='$(BRANCH)' BUILD_USER='$(BUILD_USER)' BUILD_DATE='$(BUILD_DATE)'

##@ Use

.PHONY: build
build: lean-modules ## static binary ./rocketmq_exporter
	$(GOBUILD) -o rocketmq_exporter ./cmd/rocketmq_exporter

.PHONY: demo
demo: build ## the exporter beside a fake cluster with a backlog of every kind
	./rocketmq_exporter demo

.PHONY: lean-modules
lean-modules:
	mkdir -p '$(DIST)'
	cp go.mod '$(LEAN)'
	cp go.sum '$(LEAN:.mod=.sum)'
	go mod edit -replace='$(UNUSED)' '$(LEAN)'

##@ Ship

.PHONY: binaries
binaries: lean-modules ## static binaries for all of PLATFORMS, in dist/bin
	for p in $(PLATFORMS); do \
		os=$${p%/*} arch=$${p#*/}; \
		exe=; if [ $$os = windows ]; then exe=.exe; fi; \
		GOOS=$$os GOARCH=$$arch $(GOBUILD) -o $(DIST)/bin/$$os-$$arch/rocketmq_exporter$$exe ./cmd/rocketmq_exporter; \
	done

.PHONY: linux-binaries
linux-binaries:
	$(MAKE) --no-print-directory binaries PLATFORMS='$(ARCHES:%=linux/%)'

.PHONY: packages
packages: linux-binaries licenses ## deb and rpm for all of ARCHES, in dist
	$(STAMPS) hack/packages.sh $(ARCHES)

.PHONY: image
image: ARCHES := $(shell go env GOARCH)
image: image-root ## image for this machine, by docker or buildah
	$(STAMPS) hack/image.sh $(ARCHES)

.PHONY: image-archive
image-archive: image-root ## image for all of ARCHES, as an OCI archive in dist; needs buildah
	$(STAMPS) hack/image.sh --archive $(ARCHES)

# What goes into the image, for each architecture.
.PHONY: image-root
image-root: linux-binaries licenses
	rm -rf $(DIST)/image
	for arch in $(ARCHES); do \
		root=$(DIST)/image/linux-$$arch; \
		install -D -m 755 $(DIST)/bin/linux-$$arch/rocketmq_exporter $$root/rocketmq_exporter; \
		install -D -m 644 $(DIST)/LICENSES $$root/LICENSES; \
		install -d $$root/etc/ssl/certs; \
		go -C deploy run ./cmd/cacerts >$$root/etc/ssl/certs/ca-certificates.crt; \
	done

.PHONY: licenses
licenses:
	mkdir -p $(DIST)
	hack/licenses.sh >$(DIST)/LICENSES

.PHONY: chart
chart: ## Helm chart, in dist
	cd deploy && go tool helm package helm/rocketmq-exporter --destination $(abspath $(DIST))

.PHONY: release-snapshot
release-snapshot: lean-modules ## everything that a release has, by GoReleaser, without releasing it; takes minutes
	hack/install-tools.sh goreleaser cyclonedx-gomod rpm
	$(STAMPS) hack/release.sh --snapshot

.PHONY: release
release: lean-modules ## the same of the tag that is checked out; publishes nothing
	hack/install-tools.sh goreleaser cyclonedx-gomod rpm
	$(STAMPS) hack/release.sh

##@ Test

.PHONY: test
test: tools test-unit test-race test-observability test-deploy test-real ## everything; installs what it needs

.PHONY: test-unit
test-unit: ## tests of the exporter, with the seeds of the fuzz targets
	go test ./...
	cd third_party/go-conntrack && go test ./...

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

# Never from the cache, likewise: what these look at is made by make.
.PHONY: test-deploy
test-deploy: ## packages, image, chart and manifests; installs and removes a package, as root
	cd deploy && for tool in helm nfpm; do go tool -n $$tool; done # built before a test waits for them
	cd deploy && go test -count=1 -timeout 20m ./...

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

.PHONY: bench-limit
bench-limit: ## the demo's size under a hard limit of 10 MiB of memory; as root, on Linux
	cd test && go run ./bench/limit

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
	for module in $(MODULES); do (cd $$module && golangci-lint run --allow-parallel-runners --config $(CURDIR)/.golangci.yml ./...); done

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
	shellcheck .ci/run hack/*.sh deploy/package/*.sh

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
