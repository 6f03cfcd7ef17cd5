#!/usr/bin/env bash
# Writes the licences of the exporter and of everything that its binary contains
# to standard output: most of them ask to be passed on with a binary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The same text wherever it is made.
export GOOS=linux GOARCH=amd64 CGO_ENABLED=0

chapter() { # title, files
  local title=$1 file line
  shift
  line=$(printf '=%.0s' {1..78})
  printf '%s\n%s\n%s\n\n' "$line" "$title" "$line"
  for file in "$@"; do
    cat "$file"
    echo
  done
}

chapter rocketmq_exporter NOTICE LICENSE
chapter "the standard library of Go, $(go env GOVERSION)" "$(go env GOROOT)/LICENSE"

go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/rocketmq_exporter |
  LC_ALL=C sort -u |
  while read -r path version dir; do
    mapfile -t files < <(find "$dir" -maxdepth 1 -type f ! -name '*.go' \
      \( -iname 'license*' -o -iname 'licence*' -o -iname 'copying*' -o -iname 'notice*' \) | LC_ALL=C sort)
    if [ ${#files[@]} -eq 0 ]; then
      echo "licenses: $path $version has no licence in $dir: look for it before it is shipped" >&2
      exit 1
    fi
    chapter "$path $version" "${files[@]}"
  done
