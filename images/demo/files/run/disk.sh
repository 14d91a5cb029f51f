# The disks: made sparse, grown when asked for, never shrunk.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh source=identity.sh source=host.sh

# What an installation really writes, with room to spare.
DISK_MINIMUM=$((64 << 20))

prepare_disk() {
  disk_file "$DISK" "$DISK_SIZE" DISK_SIZE
}

# prepare_further_disks leaves the arguments of disks 2 to 6 in DISK_ARGS: of
# /storageN/dataN.img where DISKN_SIZE says how large, or of the device DEVICEN.
prepare_further_disks() {
  local n size device
  DISK_ARGS=()
  for n in 2 3 4 5 6; do
    size=DISK${n}_SIZE device=DEVICE$n
    if [[ -n "${!device:-}" ]]; then
      [[ -b "${!device}" ]] || die 55 "Device ${!device} cannot be found! Please add it to the container."
      further_disk "disk$n" "${!device}"
    elif [[ -n "${!size:-}" ]]; then
      [[ -d "$STORAGE$n" ]] || die 13 "Storage folder ($STORAGE$n) not found!"
      disk_file "$STORAGE$n/data$n.img" "${!size}" "$size"
      further_disk "disk$n" "$STORAGE$n/data$n.img"
    fi
  done
}

# further_disk ID FILE: the guest sees the id as the disk's serial number.
further_disk() {
  DISK_ARGS+=(-drive "file=$2,if=none,id=$1,format=raw,discard=unmap" -device "virtio-blk-pci,drive=$1,serial=$1")
}

# disk_file FILE SIZE VARIABLE makes the file, or grows it to the size.
disk_file() {
  local dir size
  dir=$(dirname "$1")
  case "${2,,}" in
    max) size=$(($(free_space "$dir") - DISK_MINIMUM)) ;;
    half) size=$(($(free_space "$dir") / 2)) ;;
    *) size=$(bytes "$2") || die 73 "Invalid value for $3: $2" ;;
  esac
  size=$((size >> 20 << 20))
  if [[ -f "$1" ]]; then grow_disk "$1" "$size" "$3"; else create_disk "$1" "$size" "$3"; fi
}

create_disk() {
  local file=$1 size=$2 dir free
  dir=$(dirname "$file")
  free=$(free_space "$dir")
  ((free >= DISK_MINIMUM)) ||
    die 74 "Not enough free space to create a disk of $(human "$size") in $dir, it has only $(human "$free") available..."
  ((size >= DISK_MINIMUM)) || die 73 "Please increase the $3 variable to at least $(human $DISK_MINIMUM)."
  if enabled "$ALLOCATE"; then
    info "Creating a $(human "$size") fixed size disk image in raw format..."
    fallocate -l "$size" "$file" 2> /dev/null || { rm -f "$file" && die 76 "Could not allocate a file of $(human "$size") for the disk!"; }
    return 0
  fi
  info "Creating a $(human "$size") growable disk image in raw format..."
  truncate -s "$size" "$file" || { rm -f "$file" && die 77 "Could not create a file of $(human "$size") for the disk!"; }
}

grow_disk() {
  local file=$1 size=$2 have
  have=$(stat -c %s "$file")
  ((size >= have)) || die 71 "Shrinking disks is not supported yet, please increase $3 to $(human "$have")."
  ((size > have)) || return 0
  info "Resizing disk from $(human "$have") to $(human "$size")..."
  truncate -s "$size" "$file" || die 75 "Could not resize the disk to $(human "$size")!"
}
