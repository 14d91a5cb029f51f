#!/usr/bin/env bash
# Turns the fresh root file system $1 into that of the image. mmdebstrap runs
# it as a hook, outside the chroot, with its configuration of apt in
# MMDEBSTRAP_APT_CONFIG; build.sh adds DEMO_HERE and DEMO_WORK.
set -euo pipefail

root=$1
debs=$DEMO_WORK/debs
demo=$root/usr/share/demo

# unpack PACKAGE extracts it under $debs/x, without what it depends on: the
# kernel wants an initramfs generator, noVNC wants Node.js and Python.
unpack() {
  (cd "$debs" && APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -qq -o APT::Sandbox::User=root download "$1")
  dpkg-deb -x "$debs/$1"_*.deb "$debs/x"
}

kernel_package() {
  APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-cache depends --important linux-image-cloud-amd64 |
    sed -nE 's/.*Depends: (linux-image-[0-9].*)/\1/p' | head -n 1
}

mkdir -p "$debs/x"
cp -a --no-preserve=ownership "$DEMO_HERE/files/." "$root/"
unpack "$(kernel_package)"
unpack novnc
cp "$debs"/x/boot/vmlinuz-* "$demo/vmlinuz"
mkdir -p "$demo/web/vendor"
cp -r "$debs/x/usr/share/novnc/core" "$demo/web/"
cp -r "$debs/x/usr/share/novnc/vendor/pako" "$demo/web/vendor/"
"$DEMO_HERE/build/guest.sh" "$root" "$debs/x" "$DEMO_WORK/guest" "$demo/guest.cpio"
"$DEMO_HERE/build/strip.sh" "$root"
ln -sfn /dev/shm "$root/run/shm"
mkdir -p "$root/storage"
