package portfwd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"vmctl/internal/portfwd/portfwdtest"
)

// TestBothLoopbacks: what listens on 127.0.0.1 does so on ::1, unless somebody else does,
// and is gone from both when it is closed.
func TestBothLoopbacks(t *testing.T) {
	portfwdtest.NoLeaks(t)
	guest := guestAt(t, "127.0.0.1:0")
	dial := func(ctx context.Context, _ Forward) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", guest.Addr().String())
	}
	six := func(port int) string { return netip.AddrPortFrom(netip.IPv6Loopback(), uint16(port)).String() }
	s, err := Serve(forward(TCP, loopback4, 0), dial, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	port := s.Forward().HostPort
	for _, address := range []string{s.Forward().Host().String(), six(port)} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := answers(c); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		c.Close()
	}
	s.Close()
	if c, err := net.Dial("tcp", six(port)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the end: %v, %v", c, err)
	}

	other, err := net.Listen("tcp6", six(port))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	s, err = Serve(forward(TCP, loopback4, port), dial, Limits{})
	if err != nil {
		t.Fatalf("with somebody else on ::1: %v", err)
	}
	defer s.Close()
	if err := answers(connect(t, port)); err != nil {
		t.Error(err)
	}

	other4, err := Serve(forward(TCP, netip.MustParseAddr("127.0.0.2"), 0), dial, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer other4.Close()
	if c, err := net.Dial("tcp", six(other4.Forward().HostPort)); err == nil {
		c.Close()
		t.Error("127.0.0.2 listens on ::1")
	}
}
