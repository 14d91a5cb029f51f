package portfwd

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Spec is a wish for one forward, as people write it.
type Spec struct {
	Address  netip.Addr // of this host; the zero value is "not said"
	Host     int        // 0 is any free port
	Next     bool       // Host, or the next free one above it
	Guest    int
	Protocol Protocol // TCP where none was said
}

const (
	maxPort  = 65535
	maxRange = 1000 // ports of one wish: each gets a listener or a rule
)

// ParsePort reads a port number, 1 to 65535.
func ParsePort(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("not a port: %q", text)
	}
	if n < 1 || n > maxPort {
		return 0, fmt.Errorf("port must be from 1 to 65535, not %d", n)
	}
	return n, nil
}

// ParseHostPort reads "8006" (exactly this), "8006+" (next: this or the next free one)
// or "any", which is 0.
func ParseHostPort(text string) (port int, next bool, err error) {
	text = strings.TrimSpace(text)
	if text == "any" {
		return 0, false, nil
	}
	digits, next := strings.CutSuffix(text, "+")
	if port, err = ParsePort(digits); err != nil {
		return 0, false, fmt.Errorf(`%w; write 8006, "8006+" (or the next free one) or "any"`, err)
	}
	return port, next, nil
}

// ParseSpec reads [ADDRESS:]HOST:GUEST[/PROTOCOL], which asks for one forward or, with
// ranges, for several:
//
//	8080:80   8080+:80 (or the next free one)   any:53/udp (any free one)
//	127.0.0.2:8080:80   [::1]:8080:80   5000-5010:6000-6010   any:6000-6010
//
// Ranges go up, are equally long, and have at most 1000 ports. IPv6 addresses have no zone.
func ParseSpec(text string) ([]Spec, error) {
	s := Spec{Protocol: TCP}
	pair, protocol, given := strings.Cut(text, "/")
	if given {
		s.Protocol = Protocol(protocol)
	}
	if s.Protocol != TCP && s.Protocol != UDP {
		return nil, fmt.Errorf(`must be "tcp" or "udp", not %q`, protocol)
	}
	colon := strings.LastIndex(pair, ":")
	if colon < 0 {
		return nil, fmt.Errorf("%q; write HOST:GUEST, such as 8080:80, 8080+:80 or any:53/udp", text)
	}
	host, guest := pair[:colon], pair[colon+1:]
	if i := strings.LastIndex(host, ":"); i >= 0 {
		address, err := parseAddress(host[:i])
		if err != nil {
			return nil, err
		}
		s.Address, host = address, host[i+1:]
	}
	return s.ports(host, guest)
}

// parseAddress reads an IP address; one of IPv6 may stand in brackets.
func parseAddress(text string) (netip.Addr, error) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok && strings.Contains(inner, ":") {
			text = inner
		}
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf(`not an IP address: %q; write one of this host, such as "127.0.0.1"`, text)
	}
	return a.Unmap(), nil
}

// ports is s for each pair of ports.
func (s Spec) ports(host, guest string) ([]Spec, error) {
	first, last, err := parseRange(guest)
	if err != nil {
		return nil, err
	}
	from := s
	if _, _, ranged := strings.Cut(host, "-"); ranged {
		low, high, err := parseRange(host)
		if err != nil {
			return nil, err
		}
		if high-low != last-first {
			return nil, fmt.Errorf("%s and %s are not equally many ports", host, guest)
		}
		from.Host = low
	} else if from.Host, from.Next, err = ParseHostPort(host); err != nil {
		return nil, err
	} else if last > first && from.Host != 0 {
		return nil, fmt.Errorf("%s and %s are not equally many ports; write a range or %q before the colon", host, guest, "any")
	}
	specs := make([]Spec, 0, last-first+1)
	for n := range last - first + 1 {
		one := from
		one.Guest = first + n
		if from.Host != 0 {
			one.Host = from.Host + n
		}
		specs = append(specs, one)
	}
	return specs, nil
}

// parseRange reads "80" or "80-90".
func parseRange(text string) (first, last int, err error) {
	low, high, ranged := strings.Cut(text, "-")
	if first, err = ParsePort(low); err != nil {
		return 0, 0, err
	}
	last = first
	if ranged {
		last, err = ParsePort(high)
	}
	switch {
	case err != nil:
	case last < first:
		err = fmt.Errorf("range %q goes down", text)
	case last-first >= maxRange:
		err = fmt.Errorf("range %q has more than %d ports", text, maxRange)
	}
	return first, last, err
}

// HostText writes what ParseHostPort reads.
func (s Spec) HostText() string {
	switch {
	case s.Host == 0:
		return "any"
	case s.Next:
		return strconv.Itoa(s.Host) + "+"
	}
	return strconv.Itoa(s.Host)
}

// String writes what ParseSpec reads.
func (s Spec) String() string {
	text := fmt.Sprintf("%s:%d/%s", s.HostText(), s.Guest, s.Protocol)
	switch {
	case !s.Address.IsValid():
		return text
	case s.Address.Is6():
		return "[" + s.Address.String() + "]:" + text
	}
	return s.Address.String() + ":" + text
}
