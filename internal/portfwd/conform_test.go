package portfwd_test

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"vmctl/internal/portfwd"
	"vmctl/internal/portfwd/portfwdtest"
)

// local is a guest on an address of this host, reached directly.
func local(address string) portfwdtest.Rung {
	return portfwdtest.Rung{
		ListenTCP: func(t testing.TB) (net.Listener, string) {
			l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			return l, l.Addr().String()
		},
		ListenUDP: func(t testing.TB) (net.PacketConn, string) {
			l, err := net.ListenPacket("udp", net.JoinHostPort(address, "0"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			return l, l.LocalAddr().String()
		},
	}
}

// relayed is the same guest behind a relay.
func relayed(address string) portfwdtest.Rung {
	direct := local(address)
	relay := func(t testing.TB, protocol portfwd.Protocol, guest string) string {
		t.Helper()
		return serve(t, portfwd.Forward{Protocol: protocol, Via: portfwd.Relay}, guest).Forward().Host().String()
	}
	return portfwdtest.Rung{
		Accepts: true,
		ListenTCP: func(t testing.TB) (net.Listener, string) {
			l, at := direct.ListenTCP(t)
			return l, relay(t, portfwd.TCP, at)
		},
		ListenUDP: func(t testing.TB) (net.PacketConn, string) {
			l, at := direct.ListenUDP(t)
			return l, relay(t, portfwd.UDP, at)
		},
	}
}

// serve forwards to a guest at an address of this host, from the same address.
func serve(t testing.TB, f portfwd.Forward, at string) *portfwd.Server {
	t.Helper()
	guest := netip.MustParseAddrPort(at)
	f.Address, f.GuestPort = guest.Addr(), int(guest.Port())
	g := &portfwd.Guest{Lookup: func(context.Context) (portfwd.Pod, error) { return portfwd.Pod{ID: "pod", Address: guest.Addr()}, nil }}
	s, err := portfwd.Serve(f, g.Dial, portfwd.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestConformance(t *testing.T) {
	for name, rung := range map[string]portfwdtest.Rung{
		"direct": local("127.0.0.1"), "relay": relayed("127.0.0.1"), "relay on IPv6": relayed("::1"),
	} {
		t.Run(name, func(t *testing.T) {
			portfwdtest.NoLeaks(t)
			portfwdtest.Run(t, rung)
		})
	}
}
