# How the machine ends: asked to by a signal, by its own guest, or by accident.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh source=identity.sh source=machine.sh

# catch_signals comes last: before QEMU runs, a signal simply ends the script.
catch_signals() {
  local name
  whole TIMEOUT
  exec 9>&2
  for name in TERM HUP ABRT QUIT; do
    # shellcheck disable=SC2064 # the name of now
    trap "on_signal $name" "$name"
  done
}

on_signal() {
  local code=$((128 + $(kill -l "$1")))
  trap '' TERM HUP ABRT QUIT INT
  exec 2>&9
  : > "$SHM/qemu.end"
  if disabled "$SHUTDOWN"; then
    kill "$QEMU_PID" 2> /dev/null
    exit 0
  fi
  info "Received SIG$1 signal, sending ACPI shutdown signal..."
  power_off
  finish "$code"
}

# power_off presses the power button every second; near the end of TIMEOUT it
# sends SIGTERM to QEMU, and after that SIGKILL. A guest that is still being
# installed is not waited for as long.
power_off() {
  local allowed=$TIMEOUT reserve=5 limit tick
  [[ $(cat "$SHM/qemu.boot" 2> /dev/null) == disk ]] || ((allowed < 13)) || allowed=13
  ((allowed >= 30)) || reserve=3
  limit=$((allowed > 2 * reserve ? allowed - reserve : reserve + 1))
  for ((tick = 0; tick < limit * 10; tick++)); do
    running || return 0
    if ((tick % 10 == 0)); then press "$((tick / 10))" "$((limit - reserve))" "$limit"; fi
    sleep 0.1
  done
  warn "QEMU is still running, sending SIGKILL... ($limit/$limit)"
  kill -KILL "$QEMU_PID" 2> /dev/null
  wait "$QEMU_PID" || true
}

# press SECOND TERM_AT LIMIT is one second of the countdown.
press() {
  (($1 == 0 || $1 == $2)) || echo "Waiting for Demo to shut down... ($1/$3)"
  if (($1 == $2)); then
    warn "QEMU is still running, sending SIGTERM... ($1/$3)"
    kill -TERM "$QEMU_PID" 2> /dev/null || true
  elif (($1 < $2)); then
    (printf 'system_powerdown\n' | nc -N -w 1 -U "$SHM/monitor.sock" > /dev/null 2>&1) &
  fi
}

# wait_machine returns when QEMU has ended and ends the container with it.
wait_machine() {
  local code=0
  # Without stderr, where bash would announce the death of a killed child.
  # A signal arrives in here: its handler takes the stream back.
  { wait "$QEMU_PID" || code=$?; } 2> /dev/null
  ((code == 0)) || error "QEMU exited unexpectedly!"
  finish "$code"
}

# In a handler a bare "return" would return the status of what the signal
# interrupted: functions that are called from here say "return 0".
#
# finish CODE is the end of every container whose QEMU ran, except one that is
# killed. Only here does a new guest become a complete one.
finish() {
  trap '' TERM HUP ABRT QUIT INT
  : > "$SHM/qemu.end"
  wait "$SERIAL_PID" 2> /dev/null || true
  mark_booted
  stop_nat || true
  stop_lan
  stop_web
  rm -f "$SHM/monitor.sock" "$SHM/qemu.pid"
  (($1 != 0 && $1 <= 128)) || (($1 == 137)) || info "Shutdown completed!"
  exit "$1"
}
