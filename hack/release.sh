#!/usr/bin/env bash
# Makes in dist/release what a release has, by GoReleaser, and checks what came
# out. Nothing is published: upload what is there. `make release` runs this for the
# tag v$VERSION, and `make release-snapshot` for whatever is checked out; they set
# the variables that it takes.
#
# usage: hack/release.sh [--snapshot]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=(--skip=publish)
if [ "${1:-}" = --snapshot ]; then
  mode=(--snapshot)
elif [ "$(git describe --tags --exact-match 2>/dev/null)" != "v$VERSION" ]; then
  echo "release: the commit has not the tag v$VERSION, which the file VERSION says" >&2
  exit 1
fi

# .goreleaser.yaml says so, and takes no variable for it.
if [ "$DIST" != dist ]; then
  echo "release: DIST is $DIST, and a release is made in dist only" >&2
  exit 1
fi

mkdir -p dist
hack/licenses.sh >dist/LICENSES
export GORELEASER_CURRENT_TAG=v$VERSION
export VERSION REVISION BRANCH BUILD_USER BUILD_DATE COMMITTED SOURCE_DATE_EPOCH HOME_PAGE
goreleaser release --clean "${mode[@]}"
hack/check-release.sh
