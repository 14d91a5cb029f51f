# The data disk: made sparse, grown when asked for, never shrunk.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh source=identity.sh source=host.sh

# What an installation really writes, with room to spare.
DISK_MINIMUM=$((64 << 20))

prepare_disk() {
  local size
  case "${DISK_SIZE,,}" in
    max) size=$(($(free_space) - DISK_MINIMUM)) ;;
    half) size=$(($(free_space) / 2)) ;;
    *) size=$(bytes "$DISK_SIZE") || die 73 "Invalid value for DISK_SIZE: $DISK_SIZE" ;;
  esac
  size=$((size >> 20 << 20))
  if [[ -f "$DISK" ]]; then grow_disk "$size"; else create_disk "$size"; fi
}

create_disk() {
  local size=$1 free
  free=$(free_space)
  ((free >= DISK_MINIMUM)) ||
    die 74 "Not enough free space to create a disk of $(human "$size") in $STORAGE, it has only $(human "$free") available..."
  ((size >= DISK_MINIMUM)) || die 73 "Please increase the DISK_SIZE variable to at least $(human $DISK_MINIMUM)."
  if enabled "$ALLOCATE"; then
    info "Creating a $(human "$size") fixed size disk image in raw format..."
    fallocate -l "$size" "$DISK" 2> /dev/null || { rm -f "$DISK" && die 76 "Could not allocate a file of $(human "$size") for the disk!"; }
    return 0
  fi
  info "Creating a $(human "$size") growable disk image in raw format..."
  truncate -s "$size" "$DISK" || { rm -f "$DISK" && die 77 "Could not create a file of $(human "$size") for the disk!"; }
}

grow_disk() {
  local size=$1 have
  have=$(stat -c %s "$DISK")
  ((size >= have)) || die 71 "Shrinking disks is not supported yet, please increase DISK_SIZE to $(human "$have")."
  ((size > have)) || return 0
  info "Resizing disk from $(human "$have") to $(human "$size")..."
  truncate -s "$size" "$DISK" || die 75 "Could not resize the disk to $(human "$size")!"
}
