# The guest's network: NAT behind the pod's address, user mode where that is
# not possible or not wanted, the local network, or none. nat.sh, user.sh and
# lan.sh have them.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh source=user.sh
# shellcheck disable=SC2034 # NET_ARGS is read by machine.sh

# start_network leaves QEMU's arguments in NET_ARGS.
start_network() {
  status "Initializing network"
  NET_ARGS=()
  case "${NETWORK,,}" in
    n | no | none | 0 | false | off) return 0 ;;
    "" | y | yes | 1 | true | on | nat | tap | tun | tuntap | user* | passt | slirp) ;;
    *) die 24 "Unrecognized NETWORK value: \"$NETWORK\"" ;;
  esac
  find_uplink
  set_mac
  case "${DHCP,,}:${NETWORK,,}" in
    y:* | yes:* | 1:* | true:* | on:*) start_lan ;;
    *:user* | *:passt | *:slirp) start_user ;;
    *)
      if ! start_nat; then
        stop_nat || true
        warn "failed to setup NAT networking, falling back to user-mode networking!"
        start_user
      fi
      ;;
  esac
  NET_ARGS+=(-device "virtio-net-pci,netdev=net0,mac=$MAC,romfile=")
  printf '%s\n' "$GUEST_IP" > "$SHM/qemu.ip"
  printf '%s\n' "$GATEWAY" > "$SHM/qemu.gw"
  printf '%s\n' "$UPLINK" > "$SHM/qemu.host"
  printf '%s\n' "$DEV" > "$SHM/qemu.nic"
  info "Guest: $GUEST_IP | Mode: $NET_MODE | MAC: $MAC"
}

# find_uplink finds the pod's interface and address. All pods of one bridge
# give their guests the same address: it follows the third octet only.
find_uplink() {
  [[ -n "$DEV" ]] || DEV=$(ip -4 route show default | awk '{for (i = 1; i < NF; i++) if ($i == "dev") {print $(i + 1); exit}}')
  : "${DEV:=eth0}"
  [[ -d "/sys/class/net/$DEV" ]] || die 26 "Network interface \"$DEV\" does not exist inside the container!"
  # An interface of a pod has its other end elsewhere. One that is its own end
  # is the host's: what follows would redirect all of the host's ports.
  [[ "$(ip -d link show "$DEV")" == *macvlan* ]] || [[ $(< "/sys/class/net/$DEV/iflink") != $(< "/sys/class/net/$DEV/ifindex") ]] ||
    die 29 "This container does not support host mode networking!"
  UPLINK=$(ip -4 -o addr show dev "$DEV" scope global | awk '{sub("/.*", "", $4); print $4; exit}')
  [[ -n "$UPLINK" ]] || die 26 "Could not determine the address of the container!"
  local octets
  IFS=. read -ra octets <<< "$UPLINK"
  SUBNET=172.30.${octets[2]}
  GATEWAY=$SUBNET.1 GUEST_IP=$SUBNET.2
}

# set_mac keeps the address of an installed guest; a new one is a hash of the
# short host name, so pods need host names that differ.
set_mac() {
  local file=$STATE.mac hash
  if [[ -z "$MAC" && -s "$file" ]]; then MAC=$(< "$file"); fi
  if [[ -z "$MAC" ]]; then
    hash=$(hostname -s | md5sum)
    MAC=$(sed -E 's/^(..)(..)(..)(..)(..).*/02:\1:\2:\3:\4:\5/' <<< "${hash^^}")
  fi
  [[ "$MAC" =~ ^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$ ]] || die 28 "Invalid MAC address: \"$MAC\""
  printf '%s\n' "$MAC" > "$file"
}
