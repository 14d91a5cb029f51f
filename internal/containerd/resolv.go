package containerd

import (
	"net"
	"net/netip"
	"os"
	"strings"
)

// nameServers reads the servers of a resolv.conf as networks of one address. They
// often lie behind the default route, where no other route tells of them.
func nameServers(file string) []netip.Prefix {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var servers []netip.Prefix
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(fields[1]); err == nil && a.Is4() {
			servers = append(servers, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return servers
}

// appendNet adds an IPv4 network; nil (a default route) adds nothing.
func appendNet(prefixes []netip.Prefix, n *net.IPNet) []netip.Prefix {
	if n == nil {
		return prefixes
	}
	a, ok := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	if a = a.Unmap(); !ok || !a.Is4() {
		return prefixes
	}
	return append(prefixes, netip.PrefixFrom(a, bits).Masked())
}
