#!/usr/bin/env bash
# Builds the image of what `make image-root` has laid out in $DIST/image; `make
# image` runs both, and sets the variables that this takes. Without --archive
# $IMAGE:$VERSION is then among the images of docker or buildah, for one
# architecture; with it there is $DIST/rocketmq_exporter-$VERSION.oci.tar, for
# all of them.
#
# $CONTAINER is docker or buildah; by default the first that there is.
#
# usage: hack/image.sh [--archive] ARCH...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { printf 'image: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

archive=''
if [ "${1:-}" = --archive ]; then
  archive=yes
  shift
fi
[ $# -gt 0 ] || die 'for which architecture?'

if [ -z "${CONTAINER:-}" ]; then
  CONTAINER=buildah
  if [ -z "$archive" ] && have docker; then CONTAINER=docker; fi
fi
have "$CONTAINER" || die "there is no $CONTAINER: install docker or buildah"

args=(
  --file Dockerfile
  --build-arg "VERSION=$VERSION" --build-arg "REVISION=$REVISION"
  --build-arg "CREATED=$COMMITTED" --build-arg "HOME_PAGE=$HOME_PAGE"
)
context=$DIST/image
tag=$IMAGE:$VERSION

# The time of the commit makes the image the same whenever it is built.
buildah_bud() { # arch, more arguments
  local arch=$1
  shift
  buildah bud "${args[@]}" --timestamp "$SOURCE_DATE_EPOCH" --arch "$arch" --build-arg "TARGETARCH=$arch" "$@" "$context"
}

case $CONTAINER in
  docker)
    if [ -n "$archive" ] || [ $# -ne 1 ]; then die 'docker builds for one architecture here; for several there is make image-archive, with buildah'; fi
    docker build "${args[@]}" --build-arg "TARGETARCH=$1" --platform "linux/$1" --tag "$tag" "$context"
    ;;
  buildah)
    if [ -z "$archive" ]; then
      [ $# -eq 1 ] || die 'one architecture; for several there is make image-archive'
      buildah_bud "$1" --tag "$tag"
    else
      list=$tag-all
      buildah manifest rm "$list" >/dev/null 2>&1 || true
      for arch in "$@"; do buildah_bud "$arch" --manifest "$list"; done
      rm -f "$DIST/rocketmq_exporter-$VERSION.oci.tar"
      buildah manifest push --all "$list" "oci-archive:$DIST/rocketmq_exporter-$VERSION.oci.tar:$tag"
    fi
    ;;
  *) die "\$CONTAINER is $CONTAINER: allowed are docker and buildah" ;;
esac
