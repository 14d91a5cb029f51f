#!/usr/bin/env bash
# Installs what is missing to build, run and test vmctl on Debian 12, Debian 13 or
# Ubuntu 24.04, as root or with sudo. What is there already is left alone.
#
#   scripts/setup.sh [GROUP...]     groups: go build gui images runtime test; none is all
set -euo pipefail

fail() {
  printf 'setup.sh: error: %s\n' "$1" >&2
  [[ -z "${2:-}" ]] || printf 'setup.sh: hint: %s\n' "$2" >&2
  exit 1
}

as_root() {
  if ((EUID == 0)); then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    command -v sudo > /dev/null || fail "not root, and no sudo" "run this as root once: scripts/setup.sh"
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

command -v apt-get > /dev/null || fail "only Debian and Ubuntu are supported here" "install by hand what the groups in scripts/setup.sh name"
# shellcheck source=/dev/null
. /etc/os-release

# go_works tells whether the go command that make finds builds this module itself, or
# fetches the toolchain which does (since Go 1.21).
go_works() {
  local version
  version=$(PATH=$PATH:/usr/local/go/bin:/usr/lib/go/bin GOTOOLCHAIN=local go env GOVERSION 2> /dev/null || true)
  version=${version#go1.}
  version=${version%%[.-]*}
  [[ "$version" =~ ^[0-9]+$ ]] && ((version >= 21))
}

packages() {
  case $1 in
    build) echo ca-certificates gcc git libc6-dev make ;;
    gui) echo libgl1-mesa-dev pkg-config xorg-dev ;;
    images) echo debian-archive-keyring mmdebstrap xz-utils ;;
    runtime) echo containerd containernetworking-plugins iproute2 iptables runc ;;
    test) echo btrfs-progs busybox-static dbus-daemon gnome-keyring imagemagick libgl1-mesa-dri libsecret-tools shellcheck xdotool xfsprogs xvfb "$(browser)" ;;
    *) fail "unknown group $1" "groups: go build gui images runtime test" ;;
  esac
}

# browser names the package of a browser. Ubuntu's is a snap, which neither root nor
# a container can run; scripts/browser.sh makes one from Debian's packages there.
browser() {
  [[ "$ID" == ubuntu ]] || echo chromium
}

missing() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null) == installed ]] && continue
    # Docker's containerd.io brings containerd and runc under another name.
    [[ "$package" =~ ^(containerd|runc)$ ]] && command -v "$package" > /dev/null && continue
    echo "$package"
  done
}

install_packages() {
  local group=$1 list
  shift
  mapfile -t list < <(missing "$@")
  if ((${#list[@]} == 0)); then
    printf 'setup.sh: %-8s nothing is missing\n' "$group"
    return
  fi
  printf 'setup.sh: %-8s installing %s\n' "$group" "${list[*]}"
  update_lists
  as_root apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${list[@]}" > /dev/null
}

update_lists() {
  [[ -n "${updated:-}" ]] || as_root apt-get -o DPkg::Lock::Timeout=300 update -qq
  updated=yes
}

# install_go takes the distribution's Go; Debian 12's own is too old, and its
# backports have a newer one.
install_go() {
  if go_works; then
    printf 'setup.sh: %-8s nothing is missing\n' go
    return
  fi
  if [[ "${VERSION_CODENAME:-}" == bookworm ]]; then
    printf 'setup.sh: %-8s installing golang-go from bookworm-backports\n' go
    if ! grep -rqs bookworm-backports /etc/apt/sources.list /etc/apt/sources.list.d; then
      local mirror
      # shellcheck disable=SC2016 # apt's variables
      mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' | awk '$2 == "bookworm" {print $1; exit}')
      echo "deb ${mirror:-http://deb.debian.org/debian} bookworm-backports main" |
        as_root tee /etc/apt/sources.list.d/vmctl-backports.list > /dev/null
    fi
    updated=
    update_lists
    as_root apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends -t bookworm-backports golang-go > /dev/null
  else
    install_packages go golang-go
  fi
  go_works || fail "the distribution's Go is older than 1.21" "install Go 1.26 or newer from https://go.dev/dl"
}

groups=("$@")
((${#groups[@]} > 0)) || groups=(build go gui images runtime test)
for group in "${groups[@]}"; do
  if [[ "$group" == go ]]; then
    install_go
  else
    # shellcheck disable=SC2046 # words are meant
    install_packages "$group" $(packages "$group")
  fi
done
