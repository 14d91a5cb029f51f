package firewall

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
)

func TestJudge(t *testing.T) {
	address := func(text string) netlink.Addr {
		ip, network, err := net.ParseCIDR(text)
		if err != nil {
			t.Fatal(err)
		}
		network.IP = ip
		return netlink.Addr{IPNet: network}
	}
	via := func(text string) netlink.Route { return netlink.Route{Gw: net.ParseIP(text)} }
	for _, c := range []struct {
		name      string
		addresses []netlink.Addr
		routes    []netlink.Route
		want      []peers
	}{
		{"a bridge", []netlink.Addr{address("127.0.0.1/8"), address("10.88.0.7/16"), address("::1/128"), address("fe80::1/64")},
			[]netlink.Route{via("10.88.0.1"), {}}, []peers{{netip.MustParsePrefix("10.88.0.0/16"), netip.MustParseAddr("10.88.0.1")}}},
		{"both families", []netlink.Addr{address("10.88.0.7/24"), address("fd00::7/64")},
			[]netlink.Route{via("fd00::1"), via("10.88.0.1")}, []peers{
				{netip.MustParsePrefix("10.88.0.0/24"), netip.MustParseAddr("10.88.0.1")},
				{netip.MustParsePrefix("fd00::/64"), netip.MustParseAddr("fd00::1")}}},
		{"no gateway", []netlink.Addr{address("10.88.0.7/24")}, nil, []peers{{subnet: netip.MustParsePrefix("10.88.0.0/24")}}},
		{"routed, one address each", []netlink.Addr{address("10.88.0.7/32")}, []netlink.Route{via("169.254.1.1")}, nil},
	} {
		if got := judge(c.addresses, c.routes); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCloseToPeersOfNoNamespace(t *testing.T) {
	if err := CloseToPeers("/nonexistent", []uint16{5900}); err == nil {
		t.Error("no error")
	}
}
