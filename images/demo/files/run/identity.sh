# Which guest is on the disk, whether it is complete, and what happens when it
# is not the one that is asked for.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh
#
# DANGER, on purpose: a disk without the file demo.boot is deleted at the next
# start, without a word. That is what dockur/windows does (src/install.sh), and
# the reason for this image is to test a launcher against it.

STATE=$STORAGE/demo
DISK=$STORAGE/data.img
SETUP=$STORAGE/setup.img

# prepare_guest leaves a disk to start from: an installed one, or an empty one
# and the setup image.
prepare_guest() {
  [[ "$VERSION" =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die 58 "Invalid VERSION specified, value \"$VERSION\" is not recognized!"
  local want="demo-$VERSION.img" have=""
  [[ -f "$STATE.base" ]] && have=$(< "$STATE.base")
  if [[ -n "$have" && "$have" != "$want" ]] && complete; then
    info "Detected that the VERSION variable was changed, a backup of your previous installation will be saved..."
    back_up "${have%.img}"
  fi
  complete && return 0
  delete_guest
  pretend_install
  printf '%s\n' "$want" > "$STATE.base"
  cat "$DEMO/version" > "$STATE.ver"
  write_setup
}

complete() {
  [[ -s "$DISK" && -f "$STATE.boot" ]]
}

# mark_booted records that the guest is installed. It runs only when the
# container ends in good order, and only if the last thing that the firmware
# started was the disk.
mark_booted() {
  [[ -f "$STATE.boot" ]] && return 0
  [[ -f "$SHM/qemu.boot" && $(< "$SHM/qemu.boot") == disk ]] || return 0
  : > "$STATE.boot"
  rm -f "$SETUP"
  sync -f "$STORAGE"
}

guest_files() {
  find "$STORAGE" -maxdepth 1 -type f \( -iname 'data.*' -o -iname 'demo.*' -o -name setup.img \) "$@"
}

delete_guest() {
  guest_files -delete || die 50 "Failed to clean up the storage folder!"
}

# back_up NAME moves the guest to backups/NAME, or NAME.1, NAME.2 and so on.
back_up() {
  local dir=$STORAGE/backups/$1 n=0
  while [[ -e "$dir" ]]; do dir=$STORAGE/backups/$1.$((++n)); done
  { mkdir -p "$dir" && guest_files -exec mv -t "$dir" {} +; } ||
    die 64 "Failed to move the previous installation to $dir!"
}
