package containerd

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"

	"github.com/vishvananda/netlink"

	"vmctl/internal/hint"
)

// errNoSubnet is the error where every candidate collides.
var errNoSubnet = errors.New("no free subnet")

// pools are where subnets are taken from, in this order: corners of the private
// ranges (RFC 1918) that routers, Docker, podman and clusters seldom use, then the
// range for benchmarks (RFC 2544), which no network should route.
//
// The guest's own networks (172.30.0.0/16 and up in the dockur images, made inside
// the pod) stay out.
func pools() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.213.0.0/16"),
		netip.MustParsePrefix("10.87.0.0/16"),
		netip.MustParsePrefix("192.168.208.0/20"),
		netip.MustParsePrefix("172.27.0.0/16"),
		netip.MustParsePrefix("198.18.0.0/15"),
	}
}

// subnetBits make room for 253 pods.
const subnetBits = 24

// widest is how many leading bits a prefix needs to count as a network: a default
// route covers everything and takes nothing, and so do its halves, 0.0.0.0/1 and
// 128.0.0.0/1, by which VPNs override it.
const widest = 5

// chooseSubnet keeps saved while it collides with nothing that is taken, and
// else takes the first /24 of the pools that does not.
func chooseSubnet(saved netip.Prefix, taken []netip.Prefix) (netip.Prefix, error) {
	if saved.IsValid() && free(saved, taken) {
		return saved, nil
	}
	for _, pool := range pools() {
		for s := netip.PrefixFrom(pool.Addr(), subnetBits); pool.Contains(s.Addr()); s = following(s) {
			if free(s, taken) {
				return s, nil
			}
		}
	}
	err := fmt.Errorf("%w among %v: all collide with addresses or routes of this host", errNoSubnet, pools())
	return netip.Prefix{}, hint.With(err, "see what takes them: ip -4 route show table all")
}

func free(s netip.Prefix, taken []netip.Prefix) bool {
	for _, t := range taken {
		if t.Bits() >= widest && t.Overlaps(s) {
			return false
		}
	}
	return true
}

// following is the next /24.
func following(s netip.Prefix) netip.Prefix {
	a := s.Addr().As4()
	if a[2]++; a[2] == 0 {
		a[1]++
	}
	return netip.PrefixFrom(netip.AddrFrom4(a), s.Bits())
}

// takenPrefixes are all networks this host knows of: its addresses, the routes of
// all its routing tables, its name servers, and the CNI networks that are
// configured, up or not. What belongs to our own bridge does not count.
func takenPrefixes(p paths) ([]netip.Prefix, error) {
	own := -1
	if link, err := netlink.LinkByName(p.bridge); err == nil {
		own = link.Attrs().Index
	}
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	var taken []netip.Prefix
	for _, a := range addresses {
		if a.LinkIndex != own {
			taken = appendNet(taken, a.IPNet)
			taken = appendNet(taken, a.Peer)
		}
	}
	// A filter for table 0 means all tables, not only the main one.
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	for _, r := range routes {
		if r.LinkIndex != own {
			taken = appendNet(taken, r.Dst)
		}
	}
	taken = append(taken, nameServers("/etc/resolv.conf")...)
	for _, file := range otherConflists(p) {
		taken = append(taken, subnetsIn(file)...)
	}
	return taken, nil
}

// otherConflists are the CNI files of other instances, and of other software.
func otherConflists(p paths) []string {
	var files []string
	for _, pattern := range []string{
		filepath.Join(runtimesDir, "*", "cni", "*.conflist"),
		"/etc/cni/net.d/*.conf", "/etc/cni/net.d/*.conflist", "/etc/containers/networks/*.json",
	} {
		found, _ := filepath.Glob(pattern) // the patterns are good
		for _, file := range found {
			if file != p.network {
				files = append(files, file)
			}
		}
	}
	return files
}
