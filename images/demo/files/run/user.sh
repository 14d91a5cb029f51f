# User mode: QEMU itself listens in the pod, for the listed ports only.
# shellcheck shell=bash
# shellcheck source=log.sh source=settings.sh
# shellcheck disable=SC2034 # NET_MODE is read by network.sh

# start_user forwards USER_PORTS, such as "80,7/udp", and port 22. A listed
# port accepts connections even while nothing listens in the guest.
start_user() {
  local netdev port proto
  NET_MODE="User (slirp)"
  netdev="user,id=net0,net=$SUBNET.0/24,host=$GATEWAY,dns=$SUBNET.3,dhcpstart=$GUEST_IP"
  for port in $(user_ports); do
    proto=${port#*/} port=${port%/*}
    [[ "$port" =~ ^[0-9]{1,5}$ && "$proto" =~ ^(tcp|udp)$ ]] || die 24 "Invalid port in USER_PORTS: \"$port/$proto\""
    netdev+=",hostfwd=$proto:0.0.0.0:$port-$GUEST_IP:$port"
  done
  NET_ARGS=(-netdev "$netdev")
}

# user_ports prints each port once, one a line, with its protocol.
user_ports() {
  local port
  for port in 22 ${USER_PORTS//,/ }; do
    case "$port" in
      */*) echo "$port" ;;
      *) echo "$port/tcp" ;;
    esac
  done | sort -u
}
