# What the container must be given before anything else can work.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh

check_host() {
  (($(id -u) == 0)) || die 12 "Script must be executed with root privileges."
  { [[ -d /dev/shm ]] && touch /dev/shm/.write 2> /dev/null && rm /dev/shm/.write; } ||
    die 14 "The directory /dev/shm does not exist or is not writable!"
  [[ -d "$STORAGE" ]] || die 13 "Storage folder ($STORAGE) not found!"
  { touch "$STORAGE/.write" 2> /dev/null && rm "$STORAGE/.write"; } ||
    die 13 "Storage folder ($STORAGE) is not writeable! If SELinux is active, you need to add the \":Z\" flag to the bind mount."
  # The shared memory belongs to the pod: an earlier container of the same
  # pod may have left its files here.
  rm -f "$SHM"/{index,msg}.html "$SHM"/qemu.* "$SHM"/*.sock
}

# show_host is the one line about the machine underneath.
show_host() {
  local cpu ram disk fs
  cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
  ram=$(awk '/^MemAvailable/ {a = $2} /^MemTotal/ {t = $2} END {printf "%.1f GB/%.1f GB", a / 2^20, t / 2^20}' /proc/meminfo)
  disk=$(human "$(free_space "$STORAGE")")
  fs=$(stat -f -c %T "$STORAGE")
  info "CPU: ${cpu:-unknown} | RAM: $ram | DISK: $disk ($fs) | KERNEL: $(uname -r | cut -d- -f1)..."
  echo
}

# free_space DIR is in bytes.
free_space() {
  df --output=avail -B1 "$1" | tail -n 1
}
