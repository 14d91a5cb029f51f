// Package firewall keeps other pods away from ports of a pod that ask for no password: a
// guest's VNC and its web viewer.
//
// The rules are nftables rules within the pod's own network namespace. So they vanish
// with the pod, whoever removes it; they need nothing of the runtime's network; and a
// host's own firewall is neither read nor changed. The CNI firewall plugin can tell only
// the pods of one bridge from those of another (containernetworking/plugins
// plugins/meta/firewall, ingressPolicy), and a bridge's port isolation cuts off the
// guests' own services too.
//
//	err := firewall.CloseToPeers(netns, []uint16{5900, 8006})
//
// drops TCP connections to these ports that come from an address of the pod's subnet
// other than its gateway's: from another pod. Those of the host come from the gateway, and
// those of other computers from elsewhere. Guests' own ports are not concerned: they are
// forwarded, and these rules are about what is taken in.
//
// Entering a network namespace needs root (CAP_SYS_ADMIN); within one, CAP_NET_ADMIN is
// enough.
package firewall
