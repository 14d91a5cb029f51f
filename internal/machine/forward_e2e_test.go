//go:build e2e

package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"vmctl/internal/cri"
	"vmctl/internal/portfwd"
	"vmctl/internal/portfwd/portfwdtest"
)

// mappedPort is the guest port that the tests' sandbox maps to a port of the host.
const mappedPort = 7000

// forwardRig is a real sandbox, in whose network namespace the suite's guests listen.
type forwardRig struct {
	client *cri.Client
	pod    portfwd.Pod
	logs   string          // the sandbox's log directory
	mapped portfwd.Forward // leads to mappedPort, TCP and UDP
}

func newForwardRig(t testing.TB, client *cri.Client) *forwardRig {
	t.Helper()
	r := &forwardRig{client: client, logs: t.TempDir(), mapped: portfwd.Forward{Address: netip.MustParseAddr("127.0.0.1"), GuestPort: mappedPort, Protocol: portfwd.TCP}}
	var err error
	if r.mapped.HostPort, err = portfwd.Free(17000, r.mapped, nil); err != nil {
		t.Fatal(err)
	}
	udp := r.mapped
	udp.Protocol = portfwd.UDP
	parent, err := client.CgroupParent(t.Context(), "vmctl-forward")
	if err != nil {
		t.Fatal(err)
	}
	id, err := client.RunSandbox(t.Context(), cri.SandboxConfig{Name: fmt.Sprintf("forward-%d", r.mapped.HostPort), Namespace: "vmctl-test", UID: fmt.Sprint(time.Now().UnixNano()),
		LogDirectory: r.logs, CgroupParent: parent, PIDNamespace: cri.NamespaceContainer,
		PortMappings: portMappings([]portfwd.Forward{r.mapped, udp})}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		if err := errors.Join(client.StopSandbox(ctx, id), client.RemoveSandbox(ctx, id)); err != nil {
			t.Error(err)
		}
	})
	status, err := client.Sandbox(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	r.pod = portfwd.Pod{ID: id, Address: netip.MustParseAddr(status.IP), NetNS: status.NetNSPath}
	return r
}

// inside runs f in the sandbox's network namespace. A socket stays where it was made.
func (r *forwardRig) inside(t testing.TB, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its changed namespace
		ns, err := netns.GetFromPath(r.pod.NetNS)
		if err == nil {
			defer ns.Close()
			err = netns.Set(ns)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func (r *forwardRig) listenTCP(t testing.TB, address string) (l net.Listener) {
	r.inside(t, func() (err error) { l, err = net.Listen("tcp4", address); return err })
	t.Cleanup(func() { l.Close() })
	return l
}

func (r *forwardRig) listenUDP(t testing.TB, address string) (l net.PacketConn) {
	r.inside(t, func() (err error) { l, err = net.ListenPacket("udp4", address); return err })
	t.Cleanup(func() { l.Close() })
	return l
}

func (r *forwardRig) at(port int) string {
	return netip.AddrPortFrom(r.pod.Address, uint16(port)).String()
}

func tcpPort(l net.Listener) int   { return l.Addr().(*net.TCPAddr).Port }
func udpPort(l net.PacketConn) int { return l.LocalAddr().(*net.UDPAddr).Port }

func (r *forwardRig) direct() portfwdtest.Rung {
	return portfwdtest.Rung{
		ListenTCP: func(t testing.TB) (net.Listener, string) { l := r.listenTCP(t, ":0"); return l, r.at(tcpPort(l)) },
		ListenUDP: func(t testing.TB) (net.PacketConn, string) { l := r.listenUDP(t, ":0"); return l, r.at(udpPort(l)) },
	}
}

func (r *forwardRig) hostport() portfwdtest.Rung {
	guest, host := ":"+strconv.Itoa(mappedPort), r.mapped.Host().String()
	return portfwdtest.Rung{
		ListenTCP: func(t testing.TB) (net.Listener, string) { return r.listenTCP(t, guest), host },
		ListenUDP: func(t testing.TB) (net.PacketConn, string) { return r.listenUDP(t, guest), host },
	}
}

// served is a rung that listens here.
func (r *forwardRig) served(via portfwd.Via) portfwdtest.Rung {
	guest := &portfwd.Guest{
		Lookup: func(context.Context) (portfwd.Pod, error) { return r.pod, nil },
		Stream: func(ctx context.Context, id string, port int) (net.Conn, error) {
			return r.client.PortForward(ctx, id, port)
		},
	}
	serve := func(t testing.TB, protocol portfwd.Protocol, port int) string {
		s, err := portfwd.Serve(portfwd.Forward{Address: r.mapped.Address, GuestPort: port, Protocol: protocol, Via: via}, guest.Dial, portfwd.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s.Forward().Host().String()
	}
	rung := portfwdtest.Rung{
		Accepts: true, EndsBoth: via == portfwd.Stream,
		ListenTCP: func(t testing.TB) (net.Listener, string) {
			l := r.listenTCP(t, ":0")
			return l, serve(t, portfwd.TCP, tcpPort(l))
		},
	}
	if via == portfwd.Relay {
		rung.ListenUDP = func(t testing.TB) (net.PacketConn, string) {
			l := r.listenUDP(t, ":0")
			return l, serve(t, portfwd.UDP, udpPort(l))
		}
	}
	return rung
}

// cutOff leaves this host without a route to the pod, until the test ends.
func (r *forwardRig) cutOff(t testing.TB) {
	t.Helper()
	route := &netlink.Route{Type: unix.RTN_UNREACHABLE, Dst: &net.IPNet{IP: r.pod.Address.AsSlice(), Mask: net.CIDRMask(32, 32)}}
	if err := netlink.RouteAdd(route); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := netlink.RouteDel(route); err != nil {
			t.Error(err)
		}
	})
}

// TestE2EForwardConformance is the suite of package portfwdtest on real sandboxes, by
// every rung.
func TestE2EForwardConformance(t *testing.T) {
	for name, client := range runtimes(t) {
		t.Run(name, func(t *testing.T) {
			r := newForwardRig(t, client)
			for _, c := range []struct {
				name  string
				rung  portfwdtest.Rung
				large int64
				cut   bool
			}{
				{"direct", r.direct(), 16 << 20, false},
				{"hostport", r.hostport(), 32 << 20, false},
				{"relay", r.served(portfwd.Relay), 128 << 20, false},
				{"relay without a route", r.served(portfwd.Relay), 16 << 20, true},
				{"stream", r.served(portfwd.Stream), 16 << 20, false},
			} {
				t.Run(c.name, func(t *testing.T) {
					if c.cut {
						r.cutOff(t)
						if conn, err := net.DialTimeout("tcp", r.at(1), time.Second); !errors.Is(err, unix.EHOSTUNREACH) {
							t.Fatalf("this host still has a route: %v, %v", conn, err)
						}
					}
					portfwdtest.NoLeaks(t)
					c.rung.Large, c.rung.Parallel = largeTransfer(t, c.large), 300
					if os.Getenv("VMCTL_CONFORM_LARGE") != "" {
						c.rung.Parallel = 1000
					}
					portfwdtest.Run(t, c.rung)
				})
			}
		})
	}
}
