package machine

import (
	"fmt"
	"slices"
	"strings"

	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

// A machine with network = "lan" has a pod whose only link is a macvlan one in the local
// network. The guest has an address of its own there, and the kernel lets nothing pass
// between this host and either of them. So no port can be mapped or relayed; what the
// image itself serves, the guest's screen, is reached through the runtime, which connects
// from within the pod.

// portsFromHere are the recipe's ports that this host can lead to the guest, and by what; the
// others are left out.
func portsFromHere(r *recipe.Recipe) (ports, left []recipe.Port) {
	if r.Network != recipe.NetworkLAN {
		return r.Ports, nil
	}
	for _, p := range r.Ports {
		if !imagesOwn(portfwd.Forward{GuestPort: p.Guest, Protocol: portfwd.Protocol(p.Protocol)}) {
			left = append(left, p)
			continue
		}
		if p.Via == string(portfwd.Auto) {
			p.Via = string(portfwd.Stream)
		}
		ports = append(ports, p)
	}
	return ports, left
}

// warnLAN says what an address in the local network means.
func warnLAN(r *recipe.Recipe, left []recipe.Port, report Reporter) {
	if r.Network != recipe.NetworkLAN {
		return
	}
	report.note("the guest is in the local network: other computers there reach all its ports, and this host reaches none of them")
	if len(left) > 0 {
		var names []string
		for _, p := range left {
			names = append(names, portName(p))
		}
		slices.Sort(names)
		report.note(fmt.Sprintf("not forwarded, but reachable at the guest's own address: %s", strings.Join(names, ", ")))
	}
}

// explainLAN adds the way out where a runtime has no local network for pods, or that has
// no DHCP server.
func explainLAN(err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "no runtime for"): // containerd, of a handler that is not configured
		return hint.With(err, "give the private runtime a link of this host, such as eth0: sudo vmctl runtime start --lan eth0; on another runtime make a handler %q whose CNI network is macvlan", recipe.HandlerLAN)
	case strings.Contains(text, "no more tries"), strings.Contains(text, "no DHCP"): // plugins/ipam/dhcp
		return hint.With(err, "no DHCP server answers in that network; see the link of the private runtime with: vmctl runtime status")
	case strings.Contains(text, "dhcp.sock"):
		return hint.With(err, "the process that asks for addresses is gone; start it with: sudo vmctl runtime start")
	}
	return explainRun(err)
}
