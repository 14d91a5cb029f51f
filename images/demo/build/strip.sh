#!/usr/bin/env bash
# strip.sh ROOT removes what the image never uses: it halves its size.
set -euo pipefail

root=$1
cd "$root"

# QEMU: the firmware that a q35 machine with a kernel of its own starts with,
# and no modules beside those of TCG.
find usr/share/qemu usr/share/seabios -mindepth 1 -maxdepth 1 \
  ! -name keymaps ! -name 'bios-256k.bin' ! -name 'vgabios-stdvga.bin' ! -name 'linuxboot_dma.bin' ! -name 'kvmvapic.bin' \
  -exec rm -rf {} +
rm -rf usr/lib/ipxe usr/share/ipxe usr/bin/qemu-storage-daemon usr/bin/qemu-pr-helper usr/bin/qemu-system-x86_64-microvm \
  usr/bin/qemu-system-i386 usr/libexec/virtfs-proxy-helper usr/lib/qemu usr/bin/elf2dmp
find usr/lib/x86_64-linux-gnu/qemu -type f ! -name 'accel-tcg-x86_64.so' -delete 2> /dev/null || true

# The tools that put the packages here, and all that is only for people.
rm -rf usr/lib/apt usr/share/perl usr/lib/x86_64-linux-gnu/perl usr/share/perl5 usr/bin/perl5* usr/share/zoneinfo \
  usr/share/{info,iso-codes,xml,lintian,bash-completion,bug,debconf,icons,applications,nginx} usr/share/man usr/share/locale \
  usr/bin/apt* usr/lib/udev usr/bin/tini-static var/lib/dpkg/info usr/sbin/debugfs usr/sbin/tc usr/bin/{openssl,gdb*}
rm -rf var/cache/* var/log/* var/lib/apt
mkdir -p var/log/nginx

# Libraries that no program links to any more. What is loaded by its name at
# run time is not in the top directory (gconv, QEMU, iptables) or kept here.
lib=usr/lib/x86_64-linux-gnu
{
  find usr/bin usr/sbin -type f -perm /111 -printf '/%p\0'
  find "$lib" usr/lib/nginx -mindepth 2 -name '*.so' -printf '/%p\0' 2> /dev/null || true
} > tmp/programs
# ldd complains about each script among them.
{ xargs -0 chroot . ldd < tmp/programs 2> /dev/null || true; } | sed -nE 's/.*=> ([^ ]+).*/\1/p' | sort -u |
  while read -r path; do readlink -f ".$path"; done | sort -u > tmp/linked
find "$lib" -maxdepth 1 -name '*.so*' ! -name 'libnss_*' ! -name 'ld-*' ! -name 'libgcc_s*' ! -name 'libresolv*' |
  while read -r so; do
    grep -qxF "$(readlink -f "$so")" tmp/linked || printf '%s\n' "$so"
  done > tmp/unlinked
xargs rm -f < tmp/unlinked
rm -f tmp/programs tmp/linked tmp/unlinked
