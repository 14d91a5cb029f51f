# LAN mode: the guest is in the network that the pod's link is in, by a macvtap
# device on top of that link, and asks for an address itself.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh
# shellcheck disable=SC2034 # NET_MODE is read by network.sh, TAP_DEVICE by machine.sh

start_lan() {
  local numbers
  NET_MODE=DHCP
  [[ "$(ip -d link show "$DEV")" == *macvlan* ]] || die 29 "The network interface \"$DEV\" is no macvlan one, which DHCP needs!"
  ip link add link "$DEV" name "$TAP" address "$MAC" type macvtap mode bridge || die 20 "Could not make a macvtap device!"
  ip link set "$TAP" up
  TAP_DEVICE=/dev/tap$(< "/sys/class/net/$TAP/ifindex")
  numbers=$(< /sys/class/net/"$TAP"/macvtap/tap*/dev)
  [[ -c "$TAP_DEVICE" ]] || mknod "$TAP_DEVICE" c "${numbers%:*}" "${numbers#*:}" || die 20 "Could not make $TAP_DEVICE!"
  NET_ARGS=(-netdev "tap,id=net0,fd=3")
}

# stop_lan undoes it: the pod outlives the container.
stop_lan() {
  ip link del "$TAP" 2> /dev/null || true
}
