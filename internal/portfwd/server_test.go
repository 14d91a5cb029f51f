package portfwd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// guestAt is a guest that sends back what it gets, at an address.
func guestAt(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); c.Close() }()
		}
	}()
	return l
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func connect(t *testing.T, port int) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", netip.AddrPortFrom(loopback4, uint16(port)).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// answers reports whether a byte comes back.
func answers(c net.Conn) error {
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

func relayFor(t *testing.T, l net.Listener, limits Limits) *Server {
	t.Helper()
	g := &Guest{Lookup: func(context.Context) (Pod, error) { return Pod{ID: "1", Address: loopback4}, nil }}
	s, err := Serve(Forward{Address: loopback4, GuestPort: portOf(l), Protocol: TCP, Via: Relay}, g.Dial, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// The relay's bytes never enter its memory: the kernel counts what a process reads and
// writes (proc(5), /proc/PID/io), and not what it splices. The same relay without
// splice(2) proves the counter.
func TestRelayKeepsBytesInTheKernel(t *testing.T) {
	const size = 32 << 20
	for mode, least := range map[string]int64{"relay": 0, "relay-plain": 2 * 2 * size} {
		t.Run(mode, func(t *testing.T) {
			guest := guestAt(t, "127.0.0.1:0")
			port, pid := holdPortElsewhere(t, mode, guest.Addr().String())
			before := processIO(t, pid)
			c := connect(t, port)
			go func() { _, _ = io.Copy(c, io.LimitReader(zeros{}, size)) }()
			if n, err := io.Copy(io.Discard, io.LimitReader(c, size)); n != size {
				t.Fatalf("%d bytes came back, %v", n, err)
			}
			moved := processIO(t, pid) - before
			t.Logf("%d bytes each way: the process read and wrote %d", size, moved)
			if most := least + size/16; moved < least || moved > most {
				t.Errorf("the process read and wrote %d bytes, want %d to %d", moved, least, most)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// processIO is what a process has read and written by system calls.
func processIO(t *testing.T, pid int) (sum int64) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); key == "rchar" || key == "wchar" {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

// A relay that was killed leaves connections behind that the kernel still ends: the next
// one has the port at once.
func TestListensAgainAfterCrash(t *testing.T) {
	guest := guestAt(t, "127.0.0.1:0")
	port, pid := holdPortElsewhere(t, "relay", guest.Addr().String())
	open := connect(t, port)
	if err := answers(open); err != nil {
		t.Fatal(err)
	}
	f := Forward{Address: loopback4, HostPort: port, GuestPort: portOf(guest), Protocol: TCP, Via: Relay}
	g := &Guest{Lookup: func(context.Context) (Pod, error) { return Pod{Address: loopback4}, nil }}
	if _, err := Serve(f, g.Dial, Limits{}); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), strconv.Itoa(pid)) {
		t.Errorf("while it lives: %v", err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := open.Read(make([]byte, 1)); err == nil {
		t.Error("the connection goes on")
	}
	s, err := Serve(f, g.Dial, Limits{})
	for deadline := time.Now().Add(5 * time.Second); errors.Is(err, ErrTaken) && time.Now().Before(deadline); {
		s, err = Serve(f, g.Dial, Limits{}) // the process is still ending
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := answers(connect(t, port)); err != nil {
		t.Error(err)
	}
}

func TestDialsTheMachineWhereItIsNow(t *testing.T) {
	first := guestAt(t, "127.0.0.2:0")
	pod, gone := Pod{ID: "1", Address: netip.MustParseAddr("127.0.0.2")}, error(nil)
	lookups := 0
	g := &Guest{Lookup: func(context.Context) (Pod, error) { lookups++; return pod, gone }}
	dial := func() error {
		c, err := g.Dial(t.Context(), Forward{GuestPort: portOf(first), Protocol: TCP, Via: Relay})
		if err == nil {
			c.Close()
		}
		return err
	}
	if err := errors.Join(dial(), dial()); err != nil || lookups != 1 {
		t.Errorf("%v after %d lookups, want 1", err, lookups)
	}
	first.Close()
	guestAt(t, fmt.Sprint("127.0.0.3:", portOf(first)))
	pod = Pod{ID: "2", Address: netip.MustParseAddr("127.0.0.3")}
	if err := dial(); err != nil || lookups != 2 {
		t.Errorf("the machine has another address: %v after %d lookups", err, lookups)
	}
	g.asked = time.Time{}
	gone = errors.New("connection refused by the runtime")
	if err := dial(); err != nil {
		t.Errorf("the runtime is being restarted: %v", err)
	}
	g.asked, gone = time.Time{}, ErrNoPod
	if err := dial(); !errors.Is(err, ErrNoPod) {
		t.Errorf("the machine is stopped: %v", err)
	}
	if _, err := g.Dial(t.Context(), Forward{GuestPort: 1, Protocol: TCP, Via: Stream}); err == nil {
		t.Error("a stream without a runtime")
	}
}

func TestCountsWhileConnectionsAreOpen(t *testing.T) {
	s := relayFor(t, guestAt(t, "127.0.0.1:0"), Limits{})
	c := connect(t, s.Forward().HostPort)
	const size = 1 << 20
	go func() { _, _ = c.Write(make([]byte, size)) }()
	if _, err := io.ReadFull(c, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	want := Stats{Open: 1, Total: 1, In: size, Out: size}
	for deadline := time.Now().Add(5 * time.Second); s.Stats() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) { // the last acknowledgement may be on its way
			t.Fatalf("open: %+v, want %+v", s.Stats(), want)
		}
	}
	c.Close()
	want.Open = 0
	for deadline := time.Now().Add(5 * time.Second); s.Stats() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("closed: %+v, want %+v", s.Stats(), want)
		}
	}
}

func TestLimitOfConnections(t *testing.T) {
	s := relayFor(t, guestAt(t, "127.0.0.1:0"), Limits{Connections: 2})
	port := s.Forward().HostPort
	one, two := connect(t, port), connect(t, port)
	if err := errors.Join(answers(one), answers(two)); err != nil {
		t.Fatal(err)
	}
	another := func() error {
		c, err := net.Dial("tcp", s.Forward().Host().String())
		if err != nil {
			return err
		}
		defer c.Close()
		return answers(c)
	}
	if another() == nil {
		t.Error("a third connection is served")
	}
	if got := s.Stats(); got.Failed != 1 || got.Open != 2 || !strings.Contains(got.LastError, "too many") {
		t.Errorf("%+v", got)
	}
	one.Close()
	for deadline := time.Now().Add(5 * time.Second); another() != nil; {
		if time.Now().After(deadline) {
			t.Fatal("nobody is served after one has left")
		}
	}
}

func TestDrain(t *testing.T) {
	s := relayFor(t, guestAt(t, "127.0.0.1:0"), Limits{})
	port := s.Forward().HostPort
	leaves, stays := connect(t, port), connect(t, port)
	if err := errors.Join(answers(leaves), answers(stays)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	drained := make(chan struct{})
	go func() { s.Drain(ctx); close(drained) }()
	for Check(s.Forward()) != nil { // until nobody listens
		time.Sleep(time.Millisecond)
	}
	if err := errors.Join(answers(leaves), answers(stays)); err != nil {
		t.Errorf("while it drains: %v", err)
	}
	leaves.Close()
	select {
	case <-drained:
		t.Error("drained with a connection open")
	case <-time.After(20 * time.Millisecond):
	}
	cancel()
	<-drained
	if err := answers(stays); err == nil {
		t.Error("a connection goes on after the drain")
	}
}

func TestFlowsEndAndDialAnew(t *testing.T) {
	guest, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	address, dials := guest.LocalAddr().String(), make(chan struct{}, 64)
	s, err := Serve(Forward{Address: loopback4, GuestPort: 1, Protocol: UDP, Via: Relay}, func(ctx context.Context, _ Forward) (net.Conn, error) {
		dials <- struct{}{}
		return new(net.Dialer).DialContext(ctx, "udp", address)
	}, Limits{FlowIdle: 100 * time.Millisecond, Unanswered: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := net.Dial("udp", s.Forward().Host().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// Nobody answers: the flow is dialled again although datagrams keep coming.
	for deadline := time.Now().Add(5 * time.Second); len(dials) < 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("an unanswered flow stays")
		}
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); s.Stats().Open > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a silent flow stays")
		}
	}
	if got := s.Stats(); got.In < 10 || got.In%5 != 0 || got.Out != 0 || got.Total < 2 {
		t.Errorf("%+v", got)
	}
	buffer := make([]byte, 16)
	_ = guest.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, _, err := guest.ReadFrom(buffer); err != nil || !bytes.Equal(buffer[:n], []byte("hello")) {
		t.Errorf("the guest got %q, %v", buffer[:n], err)
	}
}

func TestServeRefuses(t *testing.T) {
	for _, f := range []Forward{
		{Address: netip.MustParseAddr("192.0.2.1"), GuestPort: 1, Protocol: TCP},
		{Address: netip.MustParseAddr("192.0.2.1"), GuestPort: 1, Protocol: UDP},
	} {
		if s, err := Serve(f, nil, Limits{}); err == nil {
			s.Close()
			t.Errorf("%s is served", f)
		}
	}
	port := holdPort(t, "udp4", "127.0.0.1:0")
	if _, err := Serve(Forward{Address: loopback4, HostPort: port, GuestPort: 1, Protocol: UDP}, nil, Limits{}); !errors.Is(err, ErrTaken) {
		t.Errorf("a port that is taken: %v", err)
	}
}
