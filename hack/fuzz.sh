#!/usr/bin/env bash
# Runs every fuzz target of both modules, one after the other, for $FUZZTIME each
# (60s). All of them run even when one fails; the crashing input is left in the
# target's testdata/fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=()
found=0
for module in . test; do
  for package in $(go -C "$module" list ./...); do
    targets=$(go -C "$module" test -list '^Fuzz' "$package")
    for target in $(grep '^Fuzz' <<<"$targets" || true); do
      found=$((found + 1))
      echo "== $package $target"
      go -C "$module" test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-60s}" "$package" || failed+=("$package $target")
    done
  done
done
echo "fuzz targets: $found, failed: ${#failed[@]}"
if [ ${#failed[@]} -gt 0 ]; then
  printf '  %s\n' "${failed[@]}"
  exit 1
fi
