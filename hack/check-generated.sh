#!/usr/bin/env bash
# Fails when a file that `go generate` writes is not what it would write now.
# Works on a copy, so that a check changes nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/before"

# What git tracks or would track, as it is in the working tree.
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do
    if [ -e "$file" ]; then printf '%s\0' "$file"; fi
  done |
  tar --create --null --files-from=- | tar --extract --directory "$tmp/before"
cp -a "$tmp/before" "$tmp/after"

for module in "$@"; do
  (cd "$tmp/after/$module" && go generate ./...)
done
if ! diff -ru "$tmp/before" "$tmp/after"; then
  echo 'generated files are out of date: run "make generate"' >&2
  exit 1
fi
