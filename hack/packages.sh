#!/usr/bin/env bash
# Makes a deb and an rpm for each architecture, of the binaries in $DIST/bin.
# `make packages` runs it, and sets the variables that it takes: all files in the
# packages have the time of $SOURCE_DATE_EPOCH.
#
# usage: hack/packages.sh ARCH...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dist=$(cd "${DIST:?}" && pwd)
export LICENSES=$dist/LICENSES

cd deploy # where the paths in nfpm.yaml begin
for arch in "$@"; do
  export ARCH=$arch BINARY=$dist/bin/linux-$arch/rocketmq_exporter
  for packager in deb rpm; do
    go tool nfpm package --config package/nfpm.yaml --packager "$packager" --target "$dist"
  done
done
