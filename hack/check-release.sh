#!/usr/bin/env bash
# Checks what GoReleaser has left in dist/release: that everything is there and
# nothing else, that checksums are right, that binaries are those of `make
# binaries`, and that packages hold what those of `make packages` hold.
# hack/release.sh runs it, and sets the variables that it takes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dist=$(cd "${DIST:?}" && pwd)
release=$dist/release
name=rocketmq_exporter-$VERSION
failed=0
fail() { printf 'release: %s\n' "$*" >&2; failed=1; }

platforms=(linux-amd64 linux-arm64 darwin-amd64 darwin-arm64 windows-amd64)
expected=("$name.sha256sums" "rocketmq-exporter_${VERSION}_amd64.deb" "rocketmq-exporter_${VERSION}_arm64.deb"
  "rocketmq-exporter-$VERSION-1.x86_64.rpm" "rocketmq-exporter-$VERSION-1.aarch64.rpm")
for p in "${platforms[@]}"; do
  archive=$name.$p.tar.gz
  if [ "$p" = windows-amd64 ]; then archive=$name.$p.zip; fi
  expected+=("$archive" "$name.$p.cdx.json")
done

# GoReleaser keeps notes of its own beside what is for users.
if ! diff <(printf '%s\n' "${expected[@]}" | LC_ALL=C sort) \
  <(cd "$release" && find . -maxdepth 1 -type f ! -name '*.yaml' ! -name artifacts.json ! -name metadata.json -printf '%f\n' | LC_ALL=C sort); then
  fail 'these are not the files that were expected (<), but (>)'
fi
(cd "$release" && sha256sum --check --strict --quiet "$name.sha256sums") || fail 'the checksums are wrong'
sums=$(wc -l <"$release/$name.sha256sums")
[ "$sums" -eq $((${#expected[@]} - 1)) ] || fail "$sums checksums for ${#expected[@]} files, one of which is theirs"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
make --no-print-directory -s binaries DIST="$tmp"
for p in "${platforms[@]}"; do
  exe=rocketmq_exporter
  if [ "$p" = windows-amd64 ]; then
    exe+=.exe
    (cd "$tmp" && python3 -m zipfile -e "$release/$name.$p.zip" .)
  else
    tar -xzf "$release/$name.$p.tar.gz" -C "$tmp"
  fi
  folder=$tmp/$name.$p
  found=$(cd "$folder" && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs)
  wanted=$(printf '%s\n' LICENSE LICENSES NOTICE README.md "$exe" rocketmq_exporter.example.yml | LC_ALL=C sort | xargs)
  [ "$found" = "$wanted" ] || fail "the archive for $p holds $found"
  cmp "$folder/$exe" "$tmp/bin/$p/$exe" || fail "the binary for $p is not that of make"
  for module in github.com/prometheus/client_golang github.com/spf13/cobra; do
    grep -q "\"name\": \"$module\"" "$release/$name.$p.cdx.json" || fail "the list of what is in the binary for $p lacks $module"
  done
  grep -A 4 '"name": "github.com/rocketmq-exporter/rocketmq_exporter"' "$release/$name.$p.cdx.json" | grep -q "\"version\": \"$VERSION\"" ||
    fail "the list of what is in the binary for $p does not say of which version it is"
  grep -q '"bomFormat": "CycloneDX"' "$release/$name.$p.cdx.json" || fail "the list of what is in the binary for $p is not in CycloneDX"
done
"$tmp/$name.linux-$(go env GOARCH)/rocketmq_exporter" --version | grep -F "version $VERSION (branch: $BRANCH, revision: $REVISION)" ||
  fail 'the binary does not know its version'

make --no-print-directory -s packages DIST="$tmp" >/dev/null
# The nfpm in GoReleaser is a newer one, and has two fields more.
fields() { dpkg-deb --field "$1" | grep -v -e '^Installed-Size:' -e '^License:' -e '^Architecture-Variant:'; }
for deb in "$release"/*.deb; do
  diff <(dpkg-deb --contents "$deb") <(dpkg-deb --contents "$tmp/$(basename "$deb")") || fail "$(basename "$deb") holds other files than that of make"
  diff <(fields "$deb") <(fields "$tmp/$(basename "$deb")") ||
    fail "$(basename "$deb") says something else than that of make"
done
rpm --dbpath "$tmp/db" --initdb
list() { rpm --dbpath "$tmp/db" --query --package "$1" --queryformat '[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEDIGESTS} %{FILENAMES}\n]' --scripts --requires; }
for rpm in "$release"/*.rpm; do
  diff <(list "$rpm") <(list "$tmp/$(basename "$rpm")") || fail "$(basename "$rpm") is not that of make"
done

[ "$failed" -eq 0 ] || exit 1
echo "release: ${#expected[@]} files in $release, as they should be"
