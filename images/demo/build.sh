#!/usr/bin/env bash
# Builds the demo image from Debian packages: see the README beside this file.
#
#   images/demo/build.sh OUT.tar
#
# Environment: DEMO_SUITE (bookworm), DEMO_MIRROR (that of this host if it has
# the suite, else deb.debian.org), GO (the go command).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
tag=localhost/vmctl-demo:1
suite=${DEMO_SUITE:-bookworm}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
packages=(
  qemu-system-x86 nginx dnsmasq-base iproute2 iptables tini procps netcat-openbsd
  busybox-static e2fsprogs curl jq
)

fail() {
  printf 'build.sh: error: %s\n' "$1" >&2
  [[ -z "${2:-}" ]] || printf 'build.sh: hint: %s\n' "$2" >&2
  exit 1
}

# find_go also looks where sudo's PATH does not.
find_go() {
  local go
  for go in "${GO:-}" go /usr/local/go/bin/go /usr/lib/go/bin/go; do
    [[ -n "$go" ]] && command -v "$go" && return
  done
  fail "no go command" "sudo env GO=\$(command -v go) $0 $out"
}

check() {
  local tool
  [[ $(uname -m) == x86_64 ]] || fail "only amd64 hosts can build the image"
  ((EUID == 0)) || fail "must run as root" "sudo env GO=\$(command -v go) $0 $out"
  for tool in mmdebstrap dpkg-deb sha256sum xz; do
    command -v "$tool" > /dev/null || fail "$tool is missing" "apt-get install mmdebstrap debian-archive-keyring xz-utils"
  done
  [[ -r "$keyring" ]] || fail "Debian's keys are missing" "apt-get install debian-archive-keyring"
}

# mirror prints where this host gets the suite from, else Debian's own.
mirror() {
  local found
  # shellcheck disable=SC2016 # apt's variables
  found=$(apt-get indextargets --format '$(SITE) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 2> /dev/null |
    awk -v suite="$suite" '$2 == suite && $3 == "main" && $1 ~ /^http/ && $1 ~ /debian\/?$/ {print $1; exit}') || true
  echo "${found:-http://deb.debian.org/debian}"
}

# inputs is one hash of everything of ours that decides what is in the image.
# New packages in Debian do not change it: remove the stamp to take them.
inputs() {
  {
    printf '%s\n' "$suite" "${DEMO_MIRROR:-}" "$tag"
    cd "$root/images" && find demo archive -type f ! -name '*_test.go' ! -name '*.md' -printf '%m %p ' -exec sha256sum {} \; | LC_ALL=C sort
  } | sha256sum | cut -d ' ' -f 1
}

# make_rootfs installs the packages and runs build/customize.sh in the result.
make_rootfs() {
  local from=${DEMO_MIRROR:-$(mirror)}
  echo "build.sh: $suite from $from" >&2
  DEMO_HERE=$here DEMO_WORK=$work SOURCE_DATE_EPOCH=0 mmdebstrap --quiet --variant=minbase --mode=root \
    --architectures=amd64 --keyring="$keyring" --include="$(IFS=, && echo "${packages[*]}")" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt=force-unsafe-io --skip=cleanup/run \
    --customize-hook="$here/build/customize.sh \"\$1\"" \
    "$suite" "$work/rootfs.tar" "deb $from $suite main"
}

make_archive() {
  (cd "$root" && "$go" run ./images/archive -tag "$tag" -rootfs "$work/rootfs.tar" \
    -entrypoint /usr/bin/tini -entrypoint -s -entrypoint /run/entry.sh \
    -env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin -env LANG=C.UTF-8 \
    -env VERSION=1 -env RAM_SIZE=256M -env CPU_CORES=1 -env DISK_SIZE=1G \
    -volume /storage -expose 22 -expose 5900 -expose 8006 -o "$1")
}

[[ $# == 1 ]] || fail "one argument expected: the archive to write" "$0 bin/images/demo.tar"
mkdir -p "$(dirname "$1")"
out=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
stamp=$out.inputs
want=$(inputs)
if [[ -s "$out" && -f "$stamp" && $(< "$stamp") == "$want" ]]; then
  echo "build.sh: $out is up to date" >&2
  exit 0
fi
check
go=$(find_go)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
(cd "$root" && CGO_ENABLED=0 "$go" build -trimpath -ldflags='-s -w' -o "$work/echo-server" ./images/demo/echo)
make_rootfs
rm -f "$stamp"
make_archive "$out"
printf '%s\n' "$want" > "$stamp"
# Files made with sudo belong to whoever called it.
[[ -z "${SUDO_UID:-}" ]] || chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$out" "$stamp"
echo "build.sh: $out, $(du -m "$out" | cut -f 1) MB, $SECONDS s" >&2
