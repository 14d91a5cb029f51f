# QEMU: its arguments, its start, and what its serial port says.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh source=identity.sh
# shellcheck disable=SC2034 # SERIAL_PID is read by power.sh

KERNEL=$DEMO/vmlinuz
INITRD=$DEMO/guest.cpio
SERIAL=/run/serial.fifo

# machine_arguments fills ARGS.
machine_arguments() {
  local append extra
  append="console=ttyS0 console=tty0 quiet loglevel=1 panic=5 demo.host=$(hostname -s)"
  whole VNC_PORT
  enabled "$DEAF" && append+=" demo.deaf=1"
  ARGS=(-nodefaults -name Demo -machine "q35,graphics=on" -accel "$ACCEL" -cpu "$CPU" -smp "$CPU_CORES" -m "$RAM_SIZE"
    -kernel "$KERNEL" -initrd "$INITRD" -append "$append"
    -drive "file=$DISK,if=none,id=disk,format=raw,discard=unmap" -device "virtio-blk-pci,drive=disk"
    -chardev "stdio,id=serial,signal=off" -serial chardev:serial
    -monitor "unix:$SHM/monitor.sock,server=on,wait=off" -pidfile "$SHM/qemu.pid"
    "${NET_ARGS[@]}")
  [[ ! -f "$SETUP" ]] || ARGS+=(-drive "file=$SETUP,if=none,id=setup,format=raw,readonly=on" -device "virtio-blk-pci,drive=setup")
  ARGS+=("${DISK_ARGS[@]}")
  case "${DISPLAY,,}" in
    web | :0) ARGS+=(-vga std -vnc ":$((VNC_PORT - 5900)),websocket=127.0.0.1:$WEBSOCKET_PORT") ;;
    vnc) ARGS+=(-vga std -vnc ":$((VNC_PORT - 5900))") ;;
    none) ARGS+=(-vga none -display none) ;;
    disabled) ARGS+=(-vga std -display none) ;;
    *) ARGS+=(-vga std -display "$DISPLAY") ;;
  esac
  [[ -z "$QMP" ]] || ARGS+=(-qmp "$QMP")
  [[ -z "$MONITOR" ]] || ARGS+=(-monitor "$MONITOR")
  read -ra extra <<< "$ARGUMENTS"
  ARGS+=("${extra[@]}")
}

# start_machine starts QEMU in the background, as process QEMU_PID.
start_machine() {
  machine_arguments
  if enabled "$DEBUG"; then printf 'qemu-system-x86_64 %s\n\n' "${ARGS[*]@Q}"; fi
  info "Booting Demo using QEMU v$(qemu-system-x86_64 --version | sed -nE 's/.*version ([0-9.]+).*/\1/p')..."
  rm -f "$SERIAL" && mkfifo "$SERIAL"
  watch_serial < "$SERIAL" &
  SERIAL_PID=$!
  qemu-system-x86_64 "${ARGS[@]}" < /dev/null > "$SERIAL" 3<> "${TAP_DEVICE:-/dev/null}" &
  QEMU_PID=$!
}

# watch_serial puts what the guest says in the log, line by line and without
# its control codes, and keeps what the firmware started last in qemu.boot.
watch_serial() {
  local line
  shopt -s extglob
  while IFS= read -r line || [[ -n "$line" ]]; do
    line=${line//$'\e'[\[(]*([0-9;?])[A-Za-z]/}
    line=${line//[[:cntrl:]]/}
    case "$line" in
      "BdsDxe: starting "*" from HD("*) echo disk > "$SHM/qemu.boot" ;;
      "BdsDxe: starting "*) echo media > "$SHM/qemu.boot" ;;
    esac
    printf '%s\n' "$line"
  done
}

# answers PORT says whether something of the container listens there.
answers() {
  { true <> "/dev/tcp/127.0.0.1/$1"; } 2> /dev/null
}

running() {
  kill -0 "$QEMU_PID" 2> /dev/null
}

# wait_screen waits until the display can be connected to.
wait_screen() {
  local i
  for ((i = 0; i < 200; i++)); do
    running || return 0
    [[ -S "$SHM/monitor.sock" ]] && { [[ "${DISPLAY,,}" != web ]] || answers "$WEBSOCKET_PORT"; } && break
    sleep 0.05
  done
  show_screen
}

# wait_boot waits until the firmware has started something.
wait_boot() {
  local i
  whole BOOT_TIMEOUT
  for ((i = 0; i < BOOT_TIMEOUT * 10; i++)); do
    running || return 0
    if [[ -s "$SHM/qemu.boot" ]]; then
      info "Demo started successfully, visit http://127.0.0.1:$WEB_PORT/ to view the screen..."
      return 0
    fi
    sleep 0.1
  done
  error "Timeout while waiting for QEMU to boot the machine, terminating..."
  kill "$QEMU_PID"
}
