package recipe

import (
	"strconv"

	"vmctl/internal/portfwd"
)

// Port asks for a forward from a port of this host to one of the guest.
type Port struct {
	Name     string   // unique in the recipe: "viewer", "rdp"
	Guest    int      // the number that the guest listens on
	Host     HostPort // the number on this host
	Protocol string   // TCP or UDP
	Address  string   // IP address of this host to listen on
	Via      string   // how it is forwarded: one of portfwd.Vias
}

// The protocols of a Port.
const (
	TCP = "tcp"
	UDP = "udp"
)

// Loopback is the address on which ports are forwarded when the recipe names none.
const Loopback = "127.0.0.1"

// HostPortMode says how free the choice of a host port is.
type HostPortMode int

// The modes of a HostPort.
const (
	HostPortAny   HostPortMode = iota // any free port; Number is 0
	HostPortExact                     // this one or none
	HostPortFrom                      // this one, or the next free one above it
)

// HostPort is a wish for a port of the host. The zero value is any free port.
type HostPort struct {
	Number int
	Mode   HostPortMode
}

// ParseHostPort reads "8006" (exactly this), "8006+" (this or the next free one)
// or "any".
func ParseHostPort(text string) (HostPort, error) {
	n, next, err := portfwd.ParseHostPort(text)
	switch {
	case err != nil || n == 0:
		return HostPort{}, err
	case next:
		return HostPort{Number: n, Mode: HostPortFrom}, nil
	}
	return HostPort{Number: n, Mode: HostPortExact}, nil
}

const maxPort = 65535

// String writes what ParseHostPort reads.
func (h HostPort) String() string {
	switch h.Mode {
	case HostPortExact:
		return strconv.Itoa(h.Number)
	case HostPortFrom:
		return strconv.Itoa(h.Number) + "+"
	}
	return "any"
}

// MarshalText writes the port as String does.
func (h HostPort) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads a port as ParseHostPort does.
func (h *HostPort) UnmarshalText(text []byte) error {
	port, err := ParseHostPort(string(text))
	if err != nil {
		return err
	}
	*h = port
	return nil
}
