package recipe

import (
	"fmt"
	"slices"
	"strings"
)

// Network is how the guest reaches the network, and is reached.
type Network string

// The networks.
const (
	NetworkNAT  Network = "nat"  // behind the pod's address, on a bridge of its own
	NetworkUser Network = "user" // through a process in the pod, without any privilege
	NetworkLAN  Network = "lan"  // with an address of the local network: the pod's must be macvlan
	NetworkNone Network = "none" // not at all
)

// The images' variables behind the network (qemus/qemu src/network.sh).
const (
	envNetwork = "NETWORK"
	envDHCP    = "DHCP"
)

// parseNetwork reads a value of NETWORK: the images know several words for each.
func parseNetwork(mode string) (Network, error) {
	lower := strings.ToLower(mode)
	switch {
	case enabled(lower) || slices.Contains([]string{"nat", "tap", "tun", "tuntap"}, lower):
		return NetworkNAT, nil
	case strings.HasPrefix(lower, "user") || lower == "passt" || lower == "slirp":
		return NetworkUser, nil
	case disabled(lower):
		return NetworkNone, nil
	}
	return "", fmt.Errorf("must be %s, not %q", orList([]string{"nat", "user", "slirp", "N"}), mode)
}

// adoptNetwork moves NETWORK and DHCP into the key for them. SLIRP keeps its
// variable: for the launcher it is the same as any other user network.
func (d *reader) adoptNetwork(r *Recipe) {
	mode, dhcp := r.Env[envNetwork], r.Env[envDHCP]
	slirp := strings.EqualFold(mode, "slirp")
	if !slirp {
		delete(r.Env, envNetwork)
	}
	delete(r.Env, envDHCP)
	name, given := envNetwork, NetworkLAN
	switch {
	case enabled(dhcp):
		name = envDHCP
	case mode == "":
		return
	default:
		var err error
		if given, err = parseNetwork(mode); err != nil {
			d.report("env."+name, "%v", err)
			return
		}
	}
	switch {
	case r.Network == "":
		r.Network = given
	case !slirp || r.Network != NetworkUser:
		d.report("env."+name, "set twice; remove it: network has the say")
	}
}

// environment is what the images are told; NAT is what all of them begin with.
func (n Network) environment() []EnvVar {
	switch n {
	case NetworkUser:
		return []EnvVar{{envNetwork, "user"}}
	case NetworkNone:
		return []EnvVar{{envNetwork, "N"}}
	case NetworkLAN:
		return []EnvVar{{envDHCP, "Y"}}
	}
	return nil
}

// HandlerLAN is the runtime handler whose pods are in the local network.
const HandlerLAN = "lan"

// Handler is the runtime handler of the machine's pod; "" is the runtime's default.
func (r *Recipe) Handler() string {
	if r.RuntimeHandler == "" && r.Network == NetworkLAN {
		return HandlerLAN
	}
	return r.RuntimeHandler
}

// checkNetwork refuses what the image cannot do: for an address of the local network it
// makes a macvtap device, which takes all rights (dockur/windows readme.md).
func (d *reader) checkNetwork(r *Recipe) {
	if r.Network == NetworkLAN && r.Security == SecurityMinimal {
		d.report("network", `"lan" needs security = "privileged"`)
	}
}
