package firewall

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// table is the name of our table in the pod's namespace.
const table = "vmctl"

// ErrNoSubnet says that the pod's addresses are alone in their subnets, as with some
// routed networks: there is no telling other pods from the rest of the world.
var ErrNoSubnet = errors.New("the pod's network has no subnet")

// peers are the other addresses of a subnet, its gateway excepted.
type peers struct {
	subnet  netip.Prefix
	gateway netip.Addr // zero: there is none
}

// Here is the network namespace that this process is in.
const Here = ""

// CloseToPeers drops, in the network namespace at path or Here, TCP connections to ports
// that come from other pods; see the package comment. It may be called again.
func CloseToPeers(path string, ports []uint16) error {
	return wrap(closeTo(path, ports, true))
}

// CloseToNeighbours drops those of the whole subnet: that of a pod which is in the local
// network itself, where the gateway is another computer.
func CloseToNeighbours(path string, ports []uint16) error {
	return wrap(closeTo(path, ports, false))
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("close ports to other pods: %w", err)
	}
	return nil
}

func closeTo(path string, ports []uint16, trustGateway bool) error {
	ns, options := netns.None(), []nftables.ConnOption(nil)
	if path != Here {
		var err error
		if ns, err = netns.GetFromPath(path); err != nil {
			return fmt.Errorf("network namespace %s: %w", path, err)
		}
		defer ns.Close()
		options = append(options, nftables.WithNetNSFd(int(ns)))
	}
	found, err := peersIn(ns)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return ErrNoSubnet
	}
	c, err := nftables.New(options...)
	if err != nil {
		return err
	}
	// Adding a table that is there is no error, and the deletion then empties it: all in
	// one transaction.
	t := c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: table})
	c.DelTable(t)
	t = c.AddTable(t)
	chain := c.AddChain(&nftables.Chain{Name: "input", Table: t, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter})
	for _, p := range found {
		if !trustGateway {
			p.gateway = netip.Addr{}
		}
		for _, port := range ports {
			c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: dropFrom(p, port)})
		}
	}
	return c.Flush()
}

// peersIn looks at the namespace's, or where it is none at this process's, interfaces and routes.
func peersIn(ns netns.NsHandle) ([]peers, error) {
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	addresses, err := h.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, err
	}
	routes, err := h.RouteList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, err
	}
	return judge(addresses, routes), nil
}

// judge finds the subnets that have other pods in them, and their gateways.
func judge(addresses []netlink.Addr, routes []netlink.Route) []peers {
	var out []peers
	for _, a := range addresses {
		address, ok := netip.AddrFromSlice(a.IP)
		ones, _ := a.Mask.Size()
		address = address.Unmap()
		if !ok || address.IsLoopback() || address.IsLinkLocalUnicast() || ones == address.BitLen() {
			continue
		}
		p := peers{subnet: netip.PrefixFrom(address, ones).Masked()}
		for _, r := range routes {
			if gateway, ok := netip.AddrFromSlice(r.Gw); ok && p.subnet.Contains(gateway.Unmap()) {
				p.gateway = gateway.Unmap()
			}
		}
		out = append(out, p)
	}
	return out
}

// dropFrom is the rule "from the subnet, not from its gateway, to the TCP port: drop".
func dropFrom(p peers, port uint16) []expr.Any {
	family, offset, length := byte(unix.NFPROTO_IPV4), uint32(12), uint32(4) // RFC 791: source address
	if p.subnet.Addr().Is6() {
		family, offset, length = unix.NFPROTO_IPV6, 8, 16 // RFC 8200
	}
	source := &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length}
	mask := net.CIDRMask(p.subnet.Bits(), p.subnet.Addr().BitLen())
	rule := []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		equals(family),
		source,
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: length, Mask: mask, Xor: make([]byte, length)},
		equals(p.subnet.Addr().AsSlice()...),
	}
	if p.gateway.IsValid() {
		rule = append(rule, source, &expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: p.gateway.AsSlice()})
	}
	return append(rule,
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		equals(unix.IPPROTO_TCP),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}, // RFC 9293: destination port
		equals(binaryutil.BigEndian.PutUint16(port)...),
		&expr.Verdict{Kind: expr.VerdictDrop})
}

func equals(data ...byte) *expr.Cmp {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data}
}
