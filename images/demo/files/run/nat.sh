# NAT: the guest on a bridge of its own inside the pod, and every port of the
# pod's address handed to it, except those of the container itself.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh
# shellcheck disable=SC2034 # NET_MODE is read by network.sh

# start_nat fails, having said why, if the pod lacks the right to do a step.
start_nat() {
  local iptables
  stop_nat
  NET_MODE=NAT
  make_tun || { warn "could not open /dev/net/tun, please add the device to the container." && return 1; }
  make_bridge || { warn "failed to create bridge, please add the NET_ADMIN capability: --cap-add NET_ADMIN" && return 1; }
  allow_forwarding || { warn "IP forwarding is disabled, please set the sysctl net.ipv4.ip_forward=1" && return 1; }
  iptables=$(find_iptables) || { warn "no usable iptables, please add the NET_ADMIN capability: --cap-add NET_ADMIN" && return 1; }
  redirect "$iptables" 2> /dev/null || { warn "failed to create the NAT rules." && return 1; }
  serve_addresses || { warn "failed to start dnsmasq." && return 1; }
  NET_ARGS=(-netdev "tap,id=net0,ifname=$TAP,script=no,downscript=no")
}

# make_tun makes the device where only the right to make it was given.
make_tun() {
  [[ -c /dev/net/tun ]] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } 2> /dev/null || return 1
  { true <> /dev/net/tun; } 2> /dev/null
}

make_bridge() {
  {
    ip link add "$BRIDGE" type bridge && ip addr add "$GATEWAY/24" dev "$BRIDGE" && ip link set "$BRIDGE" up &&
      ip tuntap add dev "$TAP" mode tap && ip link set "$TAP" master "$BRIDGE" && ip link set "$TAP" up
  } 2> /dev/null
}

allow_forwarding() {
  [[ $(< /proc/sys/net/ipv4/ip_forward) == 1 ]] || { echo 1 > /proc/sys/net/ipv4/ip_forward; } 2> /dev/null
}

# find_iptables prints the variant that this kernel has, nftables first.
find_iptables() {
  local variant
  for variant in iptables-nft iptables-legacy; do
    "$variant" -w -t nat -nL > /dev/null 2>&1 && echo "$variant" && return 0
  done
  return 1
}

redirect() {
  local ipt=$1 port
  "$ipt" -w -t nat -N QEMU_DNAT || return 1
  for port in "$WEB_PORT" "$VNC_PORT" ${HOST_PORTS//,/ }; do
    "$ipt" -w -t nat -A QEMU_DNAT -p tcp --dport "$port" -j RETURN || return 1
  done
  # From outside, whatever is for an address of the pod. From inside the pod,
  # only what is for its outer address: 127.0.0.1 does not reach the guest.
  "$ipt" -w -t nat -A QEMU_DNAT -j DNAT --to-destination "$GUEST_IP" &&
    "$ipt" -w -t nat -A PREROUTING -m addrtype --dst-type LOCAL ! -i "$BRIDGE" -j QEMU_DNAT &&
    "$ipt" -w -t nat -A OUTPUT -d "$UPLINK" -j QEMU_DNAT &&
    "$ipt" -w -t nat -A POSTROUTING -s "$SUBNET.0/24" -o "$DEV" -j MASQUERADE
}

serve_addresses() {
  dnsmasq --conf-file=/dev/null --interface="$BRIDGE" --except-interface=lo --bind-interfaces --user=root \
    --pid-file=/run/dnsmasq.pid --dhcp-leasefile="$SHM/qemu.leases" --dhcp-range="$GUEST_IP,$GUEST_IP" \
    --dhcp-host="$MAC,$GUEST_IP" --dhcp-option=3,"$GATEWAY" --address="/host.lan/$GATEWAY" --log-facility=/dev/null
}

# stop_nat undoes start_nat, whole or half: the pod outlives the container.
stop_nat() {
  local ipt
  [[ -n "${SUBNET:-}" ]] || return 0
  [[ -s /run/dnsmasq.pid ]] && kill "$(< /run/dnsmasq.pid)"
  rm -f /run/dnsmasq.pid
  ip link del "$TAP"
  ip link del "$BRIDGE"
  ipt=$(find_iptables) || return 0
  "$ipt" -w -t nat -D PREROUTING -m addrtype --dst-type LOCAL ! -i "$BRIDGE" -j QEMU_DNAT
  "$ipt" -w -t nat -D OUTPUT -d "$UPLINK" -j QEMU_DNAT
  "$ipt" -w -t nat -D POSTROUTING -s "$SUBNET.0/24" -o "$DEV" -j MASQUERADE
  "$ipt" -w -t nat -F QEMU_DNAT
  "$ipt" -w -t nat -X QEMU_DNAT
  return 0
} 2> /dev/null
