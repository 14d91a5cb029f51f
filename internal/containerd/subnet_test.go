package containerd

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/hint"
)

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestChooseSubnet(t *testing.T) {
	for _, tc := range []struct {
		name  string
		saved string
		taken []netip.Prefix
		want  string
	}{
		{"free host", "", prefixes("127.0.0.0/8", "192.168.1.0/24"), "10.213.0.0/24"},
		{"default route takes nothing", "", prefixes("0.0.0.0/0"), "10.213.0.0/24"},
		{"nor do the halves that a VPN sets", "", prefixes("0.0.0.0/1", "128.0.0.0/1"), "10.213.0.0/24"},
		{"first taken", "", prefixes("10.213.0.0/24"), "10.213.1.0/24"},
		{"one address in it is enough", "", prefixes("10.213.0.77/32"), "10.213.1.0/24"},
		{"pool taken", "", prefixes("10.213.0.0/16"), "10.87.0.0/24"},
		{"company routes all of 10", "", prefixes("10.0.0.0/8"), "192.168.208.0/24"},
		{"and all of 192.168", "", prefixes("10.0.0.0/8", "192.168.0.0/16"), "172.27.0.0/24"},
		{"and all private ranges", "", prefixes("10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12"), "198.18.0.0/24"},
		{"the last /24 of a pool", "", prefixes("10.0.0.0/8", "192.168.208.0/21", "192.168.216.0/22", "192.168.220.0/23", "192.168.222.0/24"), "192.168.223.0/24"},
		{"over a third byte's end", "", prefixes("10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "198.18.0.0/16"), "198.19.0.0/24"},
		{"saved is kept", "10.213.9.0/24", prefixes("10.213.0.0/24"), "10.213.9.0/24"},
		{"saved of another pool is kept", "172.31.5.0/24", nil, "172.31.5.0/24"},
		{"saved is taken by now", "10.213.9.0/24", prefixes("10.213.8.0/22"), "10.213.0.0/24"},
	} {
		var saved netip.Prefix
		if tc.saved != "" {
			saved = netip.MustParsePrefix(tc.saved)
		}
		got, err := chooseSubnet(saved, tc.taken)
		if err != nil || got.String() != tc.want {
			t.Errorf("%s: got %v, %v, want %s", tc.name, got, err, tc.want)
		}
	}
}

func TestChooseSubnetWhereAllIsTaken(t *testing.T) {
	_, err := chooseSubnet(netip.Prefix{}, pools())
	if !errors.Is(err, errNoSubnet) || hint.Of(err) == "" {
		t.Errorf("got %v with hint %q, want errNoSubnet with a hint", err, hint.Of(err))
	}
}

func TestPoolsDoNotCollideWithGuests(t *testing.T) {
	guests := prefixes("172.30.0.0/16", "172.17.0.0/16", "20.20.20.0/24")
	for _, pool := range pools() {
		for _, guest := range guests {
			if pool.Overlaps(guest) {
				t.Errorf("pool %v overlaps %v", pool, guest)
			}
		}
	}
}

func TestTakenPrefixesKnowsTheLoopback(t *testing.T) {
	taken, err := takenPrefixes(pathsOf("test-of-no-such-instance"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(taken, func(p netip.Prefix) bool { return p.Contains(netip.MustParseAddr("127.0.0.1")) }) {
		t.Errorf("127.0.0.1 is not among %v", taken)
	}
}

func TestNameServers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	text := "# nameserver 1.1.1.1\nsearch lan\nnameserver 10.213.0.53\nnameserver fd00::1\nnameserver\nnameserver what\n nameserver 9.9.9.9 \n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := prefixes("10.213.0.53/32", "9.9.9.9/32")
	if diff := cmp.Diff(want, nameServers(file), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("name servers (-want +got):\n%s", diff)
	}
	if got := nameServers(file + ".not"); got != nil {
		t.Errorf("an absent file has %v", got)
	}
}

func TestAppendNet(t *testing.T) {
	_, four, _ := net.ParseCIDR("10.1.2.0/24")
	host := &net.IPNet{IP: net.ParseIP("10.1.2.3"), Mask: net.CIDRMask(24, 32)}
	_, six, _ := net.ParseCIDR("fd00::/64")
	for _, tc := range []struct {
		name string
		in   *net.IPNet
		want []netip.Prefix
	}{
		{"default route", nil, nil},
		{"network", four, prefixes("10.1.2.0/24")},
		{"address in it", host, prefixes("10.1.2.0/24")},
		{"version 6", six, nil},
	} {
		got := appendNet(nil, tc.in)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}
