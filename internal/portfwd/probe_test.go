package portfwd

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// free returns a port of loopback that nobody has.
func free(t *testing.T, p Protocol) int {
	t.Helper()
	port, err := Free(0, forward(p, loopback4, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// 127.0.0.2 plays the pod: its listener is the guest.
const pod = "127.0.0.2"

func TestProbeTCP(t *testing.T) {
	open := holdPort(t, "tcp4", "127.0.0.1:0")
	guest := holdPort(t, "tcp4", pod+":0")
	for _, c := range []struct {
		name        string
		host, guest int
		podIP       string
		state       State
		hop, detail string
	}{
		{"host answers", open, guest, pod, Answers, "", "answers"},
		{"host answers, pod unknown", open, guest, "", Answers, "", "answers"},
		{"guest is not up", free(t, TCP), free(t, TCP), pod, NotYet, HopPod, "refuses"},
		{"pod unknown", free(t, TCP), guest, "", NotYet, HopHost, "refuses"},
		{"no mapping", free(t, TCP), guest, pod, Broken, HopHost, "refuses"},
		{"pod address is nonsense", free(t, TCP), guest, "nonsense", NotYet, HopPod, "is none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Forward{Name: "web", Address: loopback4, HostPort: c.host, GuestPort: c.guest, Protocol: TCP}
			r := Test(t.Context(), f, c.podIP)
			if r.State != c.state || r.Hop != c.hop || !strings.Contains(r.Detail, c.detail) || r.Forward != f {
				t.Errorf("got %+v, want %s at %q", r, c.state, c.hop)
			}
			if (r.Hint != "") != (c.state == Broken) {
				t.Errorf("hint is %q in state %s", r.Hint, r.State)
			}
		})
	}
}

func TestProbeHints(t *testing.T) {
	h := brokenHint(forward(TCP, loopback4, 1), "10.88.0.5:80")
	if !strings.Contains(h, "portmap") || !strings.Contains(h, "CRI-O") || !strings.Contains(h, "10.88.0.5:80") {
		t.Errorf("hint on loopback: %q", h)
	}
	h = brokenHint(forward(TCP, netip.MustParseAddr("192.0.2.1"), 1), "10.88.0.5:80")
	if !strings.Contains(h, "portmap") || !strings.Contains(h, "firewall") {
		t.Errorf("hint on another address: %q", h)
	}
}

// echo answers every packet with another; silent swallows them.
func udpServer(t *testing.T, addr string, answer bool) int {
	t.Helper()
	c, err := net.ListenPacket("udp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 100)
		for {
			_, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer {
				_, _ = c.WriteTo([]byte("pong"), from)
			}
		}
	}()
	return c.LocalAddr().(*net.UDPAddr).Port
}

func TestProbeUDP(t *testing.T) {
	echo := udpServer(t, "127.0.0.1:0", true)
	silent := udpServer(t, "127.0.0.1:0", false)
	guest := udpServer(t, pod+":0", true)
	for _, c := range []struct {
		name        string
		host, guest int
		echo        string
		state       State
		hop, detail string
	}{
		{"without an echo", silent, guest, "", Unknown, "", "does not refuse"},
		{"without an echo, closed host", free(t, UDP), guest, "", Broken, HopHost, "does not refuse, but"},
		{"without an echo, nobody", free(t, UDP), free(t, UDP), "", NotYet, HopPod, "refuses"},
		{"answers", echo, guest, "ping", Answers, "", "answers"},
		{"silent host, answering guest", silent, guest, "ping", Broken, HopHost, "does not answer"},
		{"closed host, answering guest", free(t, UDP), guest, "ping", Broken, HopHost, "refuses"},
		{"nobody", free(t, UDP), free(t, UDP), "ping", NotYet, HopPod, "refuses"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Forward{Address: loopback4, HostPort: c.host, GuestPort: c.guest, Protocol: UDP}
			r := Probe{Timeout: 100 * time.Millisecond, Echo: []byte(c.echo)}.Test(t.Context(), f, pod)
			if r.State != c.state || r.Hop != c.hop || !strings.Contains(r.Detail, c.detail) {
				t.Errorf("got %+v, want %s at %q", r, c.state, c.hop)
			}
		})
	}
}

// A listener whose queue is full lets connections time out, as a rebooting guest does.
func TestProbeTimeout(t *testing.T) {
	l := fullListener(t)
	f := Forward{Address: loopback4, HostPort: l, GuestPort: l, Protocol: TCP}
	start := time.Now()
	r := Probe{Timeout: 50 * time.Millisecond}.Test(t.Context(), f, "127.0.0.1")
	if r.State != NotYet || !strings.Contains(r.Detail, "does not answer") {
		t.Errorf("got %+v", r)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestProbeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, podIP := range []string{"", pod} {
		r := Test(ctx, forward(TCP, loopback4, free(t, TCP)), podIP)
		if r.State != Unknown || !strings.Contains(r.Detail, "ended early") {
			t.Errorf("got %+v", r)
		}
	}
	if r := Test(t.Context(), Forward{}, ""); r.State != Unknown || r.Detail == "" {
		t.Errorf("no forward: %+v", r)
	}
}

func TestStateText(t *testing.T) {
	for s, want := range map[State]string{Unknown: "unknown", Answers: "answers", NotYet: "not yet", Broken: "broken"} {
		if got := s.String(); got != want {
			t.Errorf("%d is %q, want %q", s, got, want)
		}
	}
}

// fullListener returns a port that neither accepts nor refuses.
func fullListener(t *testing.T) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := sa.(*unix.SockaddrInet4).Port
	addr := netip.AddrPortFrom(loopback4, uint16(port)).String()
	for { // fill the queue, until a connection hangs
		c, err := net.DialTimeout("tcp4", addr, 50*time.Millisecond)
		if err != nil {
			return port
		}
		t.Cleanup(func() { c.Close() })
	}
}
