package portfwd

import (
	"fmt"
	"net/netip"
)

// Protocol is what a forward carries, in the spelling of recipes and URLs.
type Protocol string

// The protocols that can be forwarded.
const (
	TCP Protocol = "tcp"
	UDP Protocol = "udp"
)

// Forward is a host address and port that leads to a port of the guest.
type Forward struct {
	Name      string     `json:"name,omitempty"` // what the recipe calls it: "web", "rdp"
	Address   netip.Addr `json:"address"`        // where it is offered on the host; 0.0.0.0 or :: is everywhere
	HostPort  int        `json:"host"`
	GuestPort int        `json:"guest"`
	Protocol  Protocol   `json:"protocol"`
	Via       Via        `json:"via,omitempty"` // the rung; "" is HostPort
	Why       string     `json:"why,omitempty"` // why it is that rung, in a few words
}

// Host returns the host's side of f.
func (f Forward) Host() netip.AddrPort {
	return netip.AddrPortFrom(f.Address, uint16(f.HostPort))
}

// Local returns where a program on this host connects to: Host, or loopback when f is
// offered on every address.
func (f Forward) Local() netip.AddrPort {
	a := f.Address
	switch {
	case a == netip.IPv6Unspecified():
		a = netip.IPv6Loopback()
	case a.IsUnspecified():
		a = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.AddrPortFrom(a, uint16(f.HostPort))
}

// String returns f as "127.0.0.1:13389->3389/tcp".
func (f Forward) String() string {
	return fmt.Sprintf("%s->%d/%s", f.Host(), f.GuestPort, f.Protocol)
}

// URL returns where a program on this host finds the guest's service: URL("http") is
// "http://127.0.0.1:8006/", URL("vnc") is "vnc://127.0.0.1:5900".
func (f Forward) URL(scheme string) string {
	u := scheme + "://" + f.Local().String()
	if scheme == "http" || scheme == "https" {
		u += "/"
	}
	return u
}

// validate reports why f cannot be a forward.
func (f Forward) validate() error {
	switch {
	case f.Protocol != TCP && f.Protocol != UDP:
		return fmt.Errorf("protocol %q is not tcp or udp", f.Protocol)
	case !f.Address.IsValid():
		return fmt.Errorf("forward %q has no host address", f.Name)
	case f.HostPort < 1 || f.HostPort > 65535:
		return fmt.Errorf("host port %d is not within 1 and 65535", f.HostPort)
	}
	return nil
}
