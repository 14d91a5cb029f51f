# What the environment may say, what it means when it says nothing, and the
# small grammar of its values.
# shellcheck shell=bash
# shellcheck disable=SC2034 # read by the files that are sourced after this one

STORAGE=/storage
SHM=/run/shm
DEMO=/usr/share/demo
WEBSOCKET_PORT=5700 # on loopback, behind the web server

: "${VERSION:=1}" "${RAM_SIZE:=256M}" "${CPU_CORES:=1}" "${DISK_SIZE:=1G}" "${ALLOCATE:=N}"
: "${KVM:=Y}" "${CPU_MODEL:=}" "${ARGUMENTS:=}" "${MONITOR:=}" "${QMP:=}"
: "${NETWORK:=Y}" "${DHCP:=N}" "${USER_PORTS:=}" "${HOST_PORTS:=}" "${MAC:=}" "${DEV:=}" "${TAP:=qemu}" "${BRIDGE:=docker}"
: "${DISPLAY:=web}" "${WEB_PORT:=8006}" "${VNC_PORT:=5900}" "${PROTECT:=N}"
: "${USERNAME:=}" "${PASSWORD:=}" "${COMMAND:=}"
: "${TIMEOUT:=30}" "${BOOT_TIMEOUT:=30}" "${SHUTDOWN:=Y}" "${DEBUG:=N}"
: "${INSTALL_SECONDS:=5}" "${DEAF:=N}"

enabled() {
  [[ "${1,,}" =~ ^(y|yes|1|true|on)$ ]]
}

disabled() {
  [[ "${1,,}" =~ ^(n|no|0|false|off)$ ]]
}

# whole NAME fails unless the variable of that name is a whole number.
whole() {
  [[ "${!1}" =~ ^[0-9]{1,6}$ ]] || die 15 "Invalid value for $1: \"${!1}\" is not a whole number."
  printf -v "$1" '%d' "$((10#${!1}))"
}

# bytes SIZE turns 256M, 1.5G or 64GB into a number; it fails on anything else.
bytes() {
  local size="${1^^}"
  size="${size// /}"
  size="${size%B}"
  [[ "$size" =~ ^[0-9]+(\.[0-9]+)?[KMGT]?$ ]] || return 1
  numfmt --from=iec "$size"
}

# human BYTES is the way back, as the log shows sizes: "1 GB", "900 MB".
human() {
  if (($1 >= 1 << 30)); then
    numfmt --to=iec --format='%.1f' "$1" | sed -E 's/\.0//; s/([KMGTP])$/ \1B/'
  else
    printf '%d MB' "$(($1 >> 20))"
  fi
}
