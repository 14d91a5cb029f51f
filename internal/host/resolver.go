package host

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
)

// upstreamFiles is where the services that put a stub on loopback write the name servers
// that they ask themselves (systemd-resolved.service(8), NetworkManager.conf(5)).
func upstreamFiles() []string {
	return []string{"/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf"}
}

// Resolvers returns the name servers that a pod must be given instead of the host's
// /etc/resolv.conf. It returns none when that file serves as it is, and none, too, when it
// names only a stub on the host's loopback, which a pod cannot reach, and nothing else is
// to be found: Resolver tells the two apart.
func (h Host) Resolvers() ([]string, error) {
	servers, _, err := h.resolvers()
	return servers, err
}

// Resolver checks that pods can have working name servers.
func (h Host) Resolver() Finding {
	const name = "dns"
	servers, stub, err := h.resolvers()
	switch {
	case err != nil:
		return Finding{name, Warn, fmt.Sprintf("name servers are unknown: %v", err), ""}
	case !stub:
		return ok(name, "pods use the host's /etc/resolv.conf")
	case len(servers) == 0:
		return Finding{name, Warn, "/etc/resolv.conf names only a server on this host's loopback, which guests cannot reach",
			"name a reachable server in /etc/resolv.conf"}
	}
	return ok(name, "pods use "+strings.Join(servers, ", "))
}

// resolvers also reports whether the host's file names a stub.
func (h Host) resolvers() (servers []string, stub bool, err error) {
	reachable, stub, err := h.nameservers("/etc/resolv.conf")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	switch {
	case err != nil || !stub:
		return nil, false, err
	case len(reachable) > 0:
		return reachable, true, nil
	}
	for _, file := range upstreamFiles() {
		if reachable, _, err := h.nameservers(file); err == nil && len(reachable) > 0 {
			return reachable, true, nil
		}
	}
	return nil, true, nil
}

// nameservers reads the servers of a resolv.conf(5) that a pod can reach, and whether
// there are others: those on this host's loopback, or known only with an interface.
func (h Host) nameservers(file string) (reachable []string, others bool, err error) {
	data, err := os.ReadFile(h.path(file))
	if err != nil {
		return nil, false, err
	}
	for _, line := range strings.Split(string(data), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		a, err := netip.ParseAddr(fields[1])
		if err != nil {
			continue
		}
		if a = a.Unmap(); a.IsLoopback() || a.IsUnspecified() || a.Zone() != "" {
			others = true
		} else {
			reachable = append(reachable, a.String())
		}
	}
	return reachable, others, nil
}
