package cri_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/portfwd"
	"vmctl/internal/portfwd/portfwdtest"
)

// sandboxOf runs a sandbox on the fake and returns where it is.
func sandboxOf(t *testing.T, c *cri.Client) portfwd.Pod {
	t.Helper()
	id, err := c.RunSandbox(t.Context(), cri.SandboxConfig{Name: "pod", Namespace: "test", UID: "1", LogDirectory: t.TempDir()}, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Sandbox(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return portfwd.Pod{ID: id, Address: netip.MustParseAddr(s.IP)}
}

func dialFake(t *testing.T, rt *critest.Server) *cri.Client {
	t.Helper()
	c, err := cri.Dial(t.Context(), rt.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestPortForwardConformance is the suite of package portfwdtest on the stream rung.
func TestPortForwardConformance(t *testing.T) {
	portfwdtest.NoLeaks(t)
	c := dialFake(t, critest.NewServer(t))
	pod := sandboxOf(t, c)
	guest := &portfwd.Guest{
		Lookup: func(context.Context) (portfwd.Pod, error) { return pod, nil },
		Stream: func(ctx context.Context, id string, port int) (net.Conn, error) { return c.PortForward(ctx, id, port) },
	}
	portfwdtest.Run(t, portfwdtest.Rung{
		Accepts: true, EndsBoth: true, Parallel: 200,
		ListenTCP: func(t testing.TB) (net.Listener, string) {
			l, err := net.Listen("tcp", netip.AddrPortFrom(pod.Address, 0).String())
			if err != nil {
				t.Fatal(err)
			}
			f := portfwd.Forward{Address: netip.MustParseAddr("127.0.0.1"), GuestPort: l.Addr().(*net.TCPAddr).Port,
				Protocol: portfwd.TCP, Via: portfwd.Stream}
			s, err := portfwd.Serve(f, guest.Dial, portfwd.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close(); s.Close() })
			return l, s.Forward().Host().String()
		},
	})
}

func TestPortForwardErrors(t *testing.T) {
	c := dialFake(t, critest.NewServer(t))
	if _, err := c.PortForward(t.Context(), "none", 80); !errors.Is(err, cri.ErrNotFound) {
		t.Errorf("no such sandbox: %v", err)
	}
	pod := sandboxOf(t, c)
	l, err := net.Listen("tcp", netip.AddrPortFrom(pod.Address, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	p, err := c.PortForward(t.Context(), pod.ID, port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Settled(t.Context(), 50*time.Millisecond); err != nil {
		t.Errorf("a port that listens: %v", err)
	}
}

func TestPortForwardRefused(t *testing.T) {
	c := dialFake(t, critest.NewServer(t))
	pod := sandboxOf(t, c)
	l, err := net.Listen("tcp", netip.AddrPortFrom(pod.Address, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	p, err := c.PortForward(t.Context(), pod.ID, port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Settled(t.Context(), 10*time.Second); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("settled: %v", err)
	}
	if n, err := p.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%d bytes, %v", n, err)
	}
}
