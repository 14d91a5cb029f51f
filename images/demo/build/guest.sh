#!/usr/bin/env bash
# guest.sh ROOT KERNEL WORK OUT packs the guest's initramfs: busybox, mke2fs
# and what it is linked to, the few modules of the kernel that the guest
# needs, the echo server, and the files of guest/.
set -euo pipefail

root=$1 kernel=$2 guest=$3 out=$4
modules=(virtio_pci virtio_blk virtio_net button evdev)

# needs FILE prints the names of the modules that a module depends on.
needs() {
  tr '\0' '\n' < "$1" | sed -n 's/^depends=//p' | tr ',' '\n'
}

# add_module NAME puts the module in the guest, after those it depends on. A
# name that is not found is built into this kernel.
add_module() {
  local name=${1//-/_} file dep
  [[ ! -e "$guest/lib/modules/$name.ko" ]] || return 0
  file=$(find "$kernel" -regextype posix-extended -regex ".*/${name//_/[-_]}\.ko(\.xz)?" -print -quit)
  [[ -n "$file" ]] || return 0
  if [[ "$file" == *.xz ]]; then xz -dc "$file"; else cat "$file"; fi > "$guest/lib/modules/$name.ko"
  for dep in $(needs "$guest/lib/modules/$name.ko"); do add_module "$dep"; done
  echo "$name.ko" >> "$guest/lib/modules/order"
}

# add_program PATH copies a program of ROOT with its libraries.
add_program() {
  local lib
  cp "$root$1" "$guest/bin/"
  chroot "$root" ldd "$1" | grep -oE '/[^ ]+' | while read -r lib; do
    mkdir -p "$guest$(dirname "$lib")"
    cp -L "$root$lib" "$guest$lib"
  done
}

mkdir -p "$guest"/{bin,sbin,usr/bin,usr/sbin,proc,sys,dev,tmp,disk,etc,lib/modules,var/run,var/log}
cp "$root/bin/busybox" "$guest/bin/"
chroot "$root" /bin/busybox --list-full | while read -r applet; do
  mkdir -p "$guest/$(dirname "$applet")"
  [[ "$applet" == *busybox ]] || ln -s /bin/busybox "$guest/$applet"
done
for name in "${modules[@]}"; do add_module "$name"; done
rm -f "$guest/sbin/mke2fs"
add_program /sbin/mke2fs
cp "$(dirname "$guest")/echo-server" "$guest/bin/"
cp -a --no-preserve=ownership "$(dirname "${BASH_SOURCE[0]}")/../guest/." "$guest/"
find "$guest" -exec touch -h -d @0 {} +

# busybox of ROOT packs it: cpio need not be on this host.
mount_point=$root/tmp/guest
mv "$guest" "$mount_point"
chroot "$root" /bin/busybox sh -c 'cd /tmp/guest && find . | sort | busybox cpio -o -H newc' > "$out" 2> /dev/null
rm -rf "$mount_point"
