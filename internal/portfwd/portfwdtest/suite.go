// Package portfwdtest is what every way to a guest's port must do, as a suite: ends of
// streams and failures are passed on, bytes arrive as they were sent, and no connection
// hurts another. It runs against a direct connection as well, which proves the suite.
//
//	portfwdtest.Run(t, portfwdtest.Rung{Name: "relay", ListenTCP: ..., ListenUDP: ...})
package portfwdtest

import (
	"net"
	"os"
	"runtime"
	"testing"
	"time"
)

// Rung is one way to the guest.
type Rung struct {
	// ListenTCP listens as a program in the guest does, until the test ends, and returns
	// the address that a client of this host dials to get there.
	ListenTCP func(testing.TB) (guest net.Listener, address string)
	// ListenUDP is the same for UDP. Nil: the rung carries none.
	ListenUDP func(testing.TB) (guest net.PacketConn, address string)
	// EndsBoth says that the rung passes no end of one direction on, and ends both soon
	// after: the streaming servers of the runtimes do, after 1 s (containerd
	// internal/cri/server/sandbox_portforward_linux.go).
	EndsBoth bool
	// Accepts says that the rung takes a connection, and ends it, where the guest refuses
	// it: whoever listens for it cannot know before.
	Accepts bool
	// Large is how many bytes the large transfers have; 0 is 16 MiB.
	Large int64
	// Parallel is how many connections are open at once; 0 is 1,000.
	Parallel int
}

// Run runs the whole suite against r, and then looks for what was left behind.
func Run(t *testing.T, r Rung) {
	if r.Large == 0 {
		r.Large = 16 << 20
	}
	if r.Parallel == 0 {
		r.Parallel = 1000
	}
	for _, c := range []struct {
		name string
		test func(*testing.T, Rung)
	}{
		{"client first", clientFirst},
		{"server first", serverFirst},
		{"one byte writes", oneByteWrites},
		{"half-close by the client", halfCloseByClient},
		{"half-close by the guest", halfCloseByGuest},
		{"late answer after half-close", lateAnswer},
		{"reset by the guest", resetByGuest},
		{"reset by the client", resetByClient},
		{"refused, then accepted", refusedThenAccepted},
		{"large to the guest", largeUp},
		{"large from the guest", largeDown},
		{"large both ways", largeBoth},
		{"slow reader", slowReader},
		{"websocket", webSocket},
		{"many at once", manyAtOnce},
		{"udp echo with reordering", udpReordered},
		{"udp sizes", udpSizes},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, r) })
	}
}

// NoLeaks fails the test if, at its end, there are more goroutines or descriptors than
// now. Call it before anything is started.
func NoLeaks(t *testing.T) {
	t.Helper()
	routines, descriptors := runtime.NumGoroutine(), openDescriptors(t)
	t.Cleanup(func() {
		deadline := time.Now().Add(10 * time.Second)
		for {
			runtime.GC() // frees the pipes that splice(2) keeps for its next use
			nowR, nowD := runtime.NumGoroutine(), openDescriptors(t)
			if nowR <= routines && nowD <= descriptors {
				return
			}
			if time.Now().After(deadline) {
				stacks := make([]byte, 64<<10)
				t.Errorf("left: %d goroutines of %d, %d descriptors of %d\n%s", nowR, routines, nowD, descriptors,
					stacks[:runtime.Stack(stacks, true)])
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// patience bounds every read and write of the suite.
const patience = 60 * time.Second

// dial connects to the rung.
func dial(t testing.TB, address string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

// accept takes one connection at the guest.
func accept(t testing.TB, l net.Listener) *net.TCPConn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

// pair is one connection through the rung, with both its ends in hand. What the client
// writes first has it made: a rung may dial the guest only then.
func pair(t testing.TB, r Rung) (client, guest *net.TCPConn) {
	t.Helper()
	l, address := r.ListenTCP(t)
	client = dial(t, address)
	return client, accept(t, l)
}

// serve handles every connection of the guest on its own, until the listener closes.
func serve(l net.Listener, handle func(*net.TCPConn)) {
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(patience))
				handle(c.(*net.TCPConn))
			}()
		}
	}()
}
