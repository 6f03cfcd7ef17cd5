#!/usr/bin/env bash
# Installs what the project's checks and tests need beyond Go and git, and only
# what is missing. System packages come from apt; golangci-lint, promtool,
# prometheus and supervisord go to .tools, whose bin the Makefile puts first in
# PATH. Nothing is started.
#
# usage: hack/install-tools.sh [TOOL...]
#
# TOOL is one of: make cc shellcheck golangci-lint promtool prometheus buildah
# supervisord rpm systemd-analyze procps jdk maven. Without any, all of them are
# installed.
# For a release there are goreleaser and cyclonedx-gomod besides. Building and
# running the exporter needs none.
set -euo pipefail

readonly golangci_lint_version=v2.15.0
readonly goreleaser_version=v2.16.0 # the next wants a Go newer than 1.26
readonly cyclonedx_version=v1.10.0
readonly jdk_oldest=17 # what RocketMQ 4.9 and 5.x are tested on here

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=$root/.tools/bin
PATH=$bin:$PATH

say() { printf 'install-tools: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo; then
    # Without a terminal nobody can answer: fail instead of asking.
    if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
  else
    die "no root and no sudo for '$*': run this script as root once, or install by hand what it was asked for"
  fi
}

apt_updated=''
apt_update() {
  [ -z "$apt_updated" ] || return 0
  have apt-get || die "this is no Debian or Ubuntu: install by hand what is named in $0"
  say 'apt-get update'
  as_root apt-get update -qq -o Acquire::Retries=3
  apt_updated=yes
}

# Packages that are missing; they are installed in one go.
packages=()

need_jdk() {
  local version
  # javac and not java: the tests run single Java files from their source.
  version=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p') || true
  [ "${version:-0}" -lt "$jdk_oldest" ] || return 0
  apt_update
  if apt-cache show "openjdk-$jdk_oldest-jdk-headless" >/dev/null 2>&1; then
    packages+=("openjdk-$jdk_oldest-jdk-headless")
  else
    packages+=(default-jdk-headless)
  fi
}

# The race detector is C and wants a compiler and its headers.
need_cc() {
  if have gcc || have clang; then return 0; fi
  packages+=(gcc libc6-dev)
}

need_command() { # command, package
  have "$1" || packages+=("$2")
}

install_packages() {
  [ ${#packages[@]} -gt 0 ] || return 0
  apt_update
  say "apt-get install ${packages[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "${packages[@]}" >&2
}

# unpack downloads a package and lays out its files in a folder, without
# installing it: what is a server would start at once, and at every boot.
unpack() { # package, folder
  local tmp
  tmp=$(mktemp -d)
  if ! download "$1" "$tmp"; then
    apt_update # the package lists are missing or name a file that is gone
    download "$1" "$tmp" || die "cannot download the package $1"
  fi
  mkdir -p "$2"
  dpkg-deb --extract "$tmp/$1"_*.deb "$2"
  rm -rf "$tmp"
}

download() { # package, folder
  have apt-get || die "this is no Debian or Ubuntu: install $1 by hand"
  # As root apt would download as a user who may not write to the folder.
  (cd "$2" && apt-get download -qq -o Acquire::Retries=3 -o APT::Sandbox::User=root "$1" >&2)
}

install_from_prometheus() { # command
  if have "$1"; then return 0; fi
  say "$1, from the package prometheus"
  local tmp command
  tmp=$(mktemp -d)
  unpack prometheus "$tmp"
  for command in promtool prometheus; do
    install -D -m 755 "$tmp/usr/bin/$command" "$bin/$command"
  done
  rm -rf "$tmp"
}

install_supervisord() {
  if have supervisord; then return 0; fi
  say 'supervisord, from the package supervisor'
  unpack supervisor "$root/.tools/supervisor"
  mkdir -p "$bin"
  cat >"$bin/supervisord" <<EOF
#!/bin/sh
PYTHONPATH='$root/.tools/supervisor/usr/lib/python3/dist-packages' exec python3 -m supervisor.supervisord "\$@"
EOF
  chmod 755 "$bin/supervisord"
}

# It is Python, and looks for its own release by pkg_resources.
need_supervisord() {
  if have supervisord || python3 -c 'import pkg_resources' 2>/dev/null; then return 0; fi
  packages+=(python3 python3-pkg-resources)
}

# A linter built by another Go release cannot read what this one compiles, so
# both versions count; the binary knows them itself. It is the same with whatever
# else is built here.
go_install() { # command, module, version, folder of the command in the module
  local built
  built=$(go version -m "$bin/$1" 2>/dev/null |
    awk 'NR == 1 { go = $NF } $1 == "mod" { print $2, $3, go }') || true
  [ "$built" != "$2 $3 $(go env GOVERSION)" ] || return 0
  say "$1 $3 with $(go env GOVERSION), which takes a few minutes the first time"
  GOBIN=$bin go install "$2$4@$3"
}

main() {
  local tool
  have go || die 'Go is not in PATH: see https://go.dev/doc/install'
  for tool in "$@"; do
    case $tool in
      make | shellcheck) need_command "$tool" "$tool" ;;
      maven) need_command mvn maven ;;
      buildah | rpm) need_command "$tool" "$tool" ;;
      systemd-analyze) need_command systemd-analyze systemd ;;
      supervisord) need_supervisord ;;
      procps) need_command pgrep procps ;; # and /bin/kill, by which systemd reloads
      cc) need_cc ;;
      jdk) need_jdk ;;
      golangci-lint | promtool | prometheus | goreleaser | cyclonedx-gomod) ;; # below, when there are packages
      *) die "unknown tool: $tool" ;;
    esac
  done
  install_packages
  for tool in "$@"; do
    case $tool in
      golangci-lint) go_install golangci-lint github.com/golangci/golangci-lint/v2 "$golangci_lint_version" /cmd/golangci-lint ;;
      goreleaser) go_install goreleaser github.com/goreleaser/goreleaser/v2 "$goreleaser_version" '' ;;
      cyclonedx-gomod) go_install cyclonedx-gomod github.com/CycloneDX/cyclonedx-gomod "$cyclonedx_version" /cmd/cyclonedx-gomod ;;
      supervisord) install_supervisord ;;
      promtool | prometheus) install_from_prometheus "$tool" ;;
    esac
  done
}

[ $# -gt 0 ] || set -- make cc shellcheck golangci-lint promtool prometheus buildah supervisord rpm systemd-analyze procps jdk maven
main "$@"
