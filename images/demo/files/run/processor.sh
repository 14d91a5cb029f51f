# Processor and memory of the guest, and whether KVM really runs one.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh
# shellcheck disable=SC2034 # ACCEL and CPU are read by machine.sh

RAM_MINIMUM=$((128 << 20))
# QEMU itself needs room beside the guest's memory.
RAM_RESERVE=$((96 << 20))

set_cores() {
  local have
  have=$(nproc)
  case "${CPU_CORES,,}" in
    max) CPU_CORES=$have ;;
    half) CPU_CORES=$(((have + 1) / 2)) ;;
  esac
  whole CPU_CORES
  ((CPU_CORES > 0)) || die 15 "Invalid amount of CPU_CORES: $CPU_CORES"
  if ((CPU_CORES > have)); then
    warn "the amount for CPU_CORES ($CPU_CORES) exceeds the amount of available cores, so it will be limited to $have."
    CPU_CORES=$have
  fi
}

# set_memory makes RAM_SIZE a number of MiB that the container can pay for.
set_memory() {
  local available want
  available=$(($(memory_limit) - RAM_RESERVE))
  # A bare number below 130 is in GiB, above it in MiB.
  [[ "$RAM_SIZE" =~ ^[0-9]+$ ]] && if ((RAM_SIZE < 130)); then RAM_SIZE+=G; else RAM_SIZE+=M; fi
  case "${RAM_SIZE,,}" in
    max) want=$available ;;
    half) want=$((available / 2)) ;;
    *) want=$(bytes "$RAM_SIZE") || die 16 "Invalid value for RAM_SIZE: $RAM_SIZE" ;;
  esac
  if ((want > available)); then
    warn "your configured RAM_SIZE of $(human "$want") is too high for the $(human "$available") of memory available, it will be lowered."
    want=$available
  fi
  ((want >= RAM_MINIMUM)) || die 16 "Demo requires at least $(human $RAM_MINIMUM) of RAM, but it can have only $(human "$want")."
  RAM_SIZE=$((want >> 20))
}

# memory_limit is what is free on the host, or the limit of the container's
# cgroup (either version) when that is less.
memory_limit() {
  local limit=0 free file
  free=$(awk '/^MemAvailable/ {printf "%.0f", $2 * 1024}' /proc/meminfo)
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    [[ -r "$file" ]] && limit=$(< "$file") && break
  done
  if [[ "$limit" =~ ^[1-9][0-9]{0,17}$ ]] && ((limit < free)); then echo "$limit"; else echo "$free"; fi
}

# set_accelerator chooses KVM if a guest comes to life on it, else TCG. To
# open /dev/kvm proves little: on nested and locked-down hosts it opens, makes
# a virtual machine, and no kernel gets through its first milliseconds.
set_accelerator() {
  local reason
  ACCEL=kvm CPU=${CPU_MODEL:-host}
  disabled "$KVM" || { reason=$(kvm_fault) && return 0; }
  [[ "${KVM,,}" == require ]] && die 88 "KVM acceleration is not available $reason, this will cause the machine to run about 10 times slower."
  disabled "$KVM" || warn "KVM acceleration is not available $reason, this will cause the machine to run about 10 times slower."
  ACCEL=tcg,thread=multi,tb-size=128 CPU=${CPU_MODEL:-max}
}

# kvm_fault succeeds, silently, if KVM works; else it says why not.
kvm_fault() {
  local log
  [[ -e /dev/kvm ]] || { echo "(/dev/kvm is missing)" && return 1; }
  { true <> /dev/kvm; } 2> /dev/null || { echo "(/dev/kvm is unwriteable)" && return 1; }
  grep -qwE 'vmx|svm' /proc/cpuinfo || { echo "(not enabled in BIOS)" && return 1; }
  # The guest's own kernel, without a disk: it must get as far as its panic
  # about that. A reset for any other reason also ends QEMU with 0.
  log=$(timeout -s KILL 8 qemu-system-x86_64 -accel kvm -cpu "$CPU" -machine q35 -m 128 -nodefaults -display none \
    -no-reboot -serial stdio -kernel "$KERNEL" -append 'console=ttyS0 quiet panic=-1' < /dev/null 2>&1) || true
  [[ "$log" == *'Kernel panic'*'VFS'* ]] || { echo "(guests do not run on it)" && return 1; }
}
