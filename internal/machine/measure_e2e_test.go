//go:build e2e

package machine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/portfwd"
)

// TestMain lets the test binary be the other processes of a measurement: the guest's
// server, which runs in the pod's network namespace, and the process that serves a rung.
func TestMain(m *testing.M) {
	var err error
	switch kind, args, _ := strings.Cut(os.Getenv("VMCTL_MEASURE"), " "); kind {
	case "guest":
		err = serveGuest(args)
	case "rung":
		err = serveRung(strings.Fields(args))
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// What the first byte of a connection asks the guest's server for.
const (
	askEcho   = 'E'
	askSink   = 'S'
	askSource = 'R'
)

// serveGuest serves until the standard input ends.
func serveGuest(address string) error {
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerGuest(c.(*net.TCPConn))
		}
	}()
	fmt.Println(l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func answerGuest(c *net.TCPConn) {
	defer c.Close()
	first := make([]byte, 1)
	if _, err := io.ReadFull(c, first); err != nil {
		return
	}
	block := make([]byte, 1)
	if first[0] != askEcho {
		block = make([]byte, 256<<10)
	}
	for {
		if first[0] == askSource {
			if _, err := c.Write(block); err != nil {
				return
			}
			continue
		}
		n, err := c.Read(block)
		if err == nil && first[0] == askEcho {
			_, err = c.Write(block[:n])
		}
		if err != nil {
			return
		}
	}
}

// serveRung serves one rung to mappedPort as an agent does, until the standard input
// ends: args are the rung, the endpoint, the sandbox, its address and its namespace.
func serveRung(args []string) error {
	client, err := cri.Dial(context.Background(), args[1])
	if err != nil {
		return err
	}
	pod := portfwd.Pod{ID: args[2], NetNS: args[4]}
	if pod.Address, err = netip.ParseAddr(args[3]); err != nil {
		return err
	}
	guest := &portfwd.Guest{
		Lookup: func(context.Context) (portfwd.Pod, error) { return pod, nil },
		Stream: func(ctx context.Context, id string, port int) (net.Conn, error) {
			return client.PortForward(ctx, id, port)
		},
	}
	f := portfwd.Forward{Address: netip.MustParseAddr("127.0.0.1"), GuestPort: mappedPort, Protocol: portfwd.TCP, Via: portfwd.Via(args[0])}
	s, err := portfwd.Serve(f, guest.Dial, portfwd.Limits{Connections: 1 << 20})
	if err != nil {
		return err
	}
	fmt.Println(s.Forward().Host())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// way is one way to the guest that is measured.
type way struct {
	name    string
	address string
	pid     int // of the process that serves it, 0: there is none
}

// ways starts the guest's server and all that leads to it.
func (r *forwardRig) ways(t testing.TB) []way {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r.inside(t, func() error { // a child has the network namespace of the thread that starts it
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "VMCTL_MEASURE=guest :"+strconv.Itoa(mappedPort))
		startForwarder(t, cmd)
		return nil
	})
	out := []way{{"direct", r.at(mappedPort), 0}, {"hostport", r.mapped.Host().String(), 0}}
	for _, via := range []portfwd.Via{portfwd.Relay, portfwd.Stream} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "VMCTL_MEASURE="+strings.Join([]string{"rung", string(via), r.client.Endpoint(), r.pod.ID, r.pod.Address.String(), r.pod.NetNS}, " "))
		address, pid := startForwarder(t, cmd)
		out = append(out, way{string(via), address, pid})
	}
	address, pid := r.clientGo(t, mappedPort)
	return append(out, way{"client-go", address, pid})
}

// open connects, and asks the guest's server for something.
func (w way) open(ask byte) (*net.TCPConn, error) {
	c, err := net.DialTimeout("tcp", w.address, 20*time.Second)
	if err != nil {
		return nil, err
	}
	if _, err = c.Write([]byte{ask}); err != nil {
		c.Close()
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// echoed has one byte come back.
func echoed(c net.Conn) error {
	one := []byte{1}
	if _, err := c.Write(one); err != nil {
		return err
	}
	_, err := io.ReadFull(c, one)
	return err
}

// throughput is what n connections move one way in a while, in Gbit/s.
func (w way) throughput(n int, ask byte, while time.Duration) (float64, error) {
	var moved atomic.Int64
	conns := make([]*net.TCPConn, n)
	for i := range conns {
		c, err := w.open(ask)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		conns[i] = c
	}
	var wg sync.WaitGroup
	begin := time.Now()
	for _, c := range conns {
		_ = c.SetDeadline(begin.Add(while))
		wg.Go(func() {
			block := make([]byte, 256<<10)
			for {
				n, err := 0, error(nil)
				if ask == askSource {
					n, err = c.Read(block)
				} else {
					n, err = c.Write(block)
				}
				moved.Add(int64(n))
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(moved.Load()) * 8 / time.Since(begin).Seconds() / 1e9, nil
}

// latencies are the times of n requests of one byte, in microseconds, ascending.
func (w way) latencies(n int) ([]float64, error) {
	c, err := w.open(askEcho)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	out := make([]float64, n)
	for i := range out {
		begin := time.Now()
		if err := echoed(c); err != nil {
			return nil, err
		}
		out[i] = float64(time.Since(begin).Nanoseconds()) / 1000
	}
	slices.Sort(out)
	return out, nil
}

// connects is how many connections a second eight clients open, use once and close.
func (w way) connects(while time.Duration) (float64, error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	begin := time.Now()
	for range 8 {
		wg.Go(func() {
			for time.Since(begin) < while && failed.Load() == nil {
				c, err := w.open(askEcho)
				if err == nil {
					_ = c.SetDeadline(time.Now().Add(20 * time.Second))
					err = echoed(c)
					_ = c.SetLinger(0) // no ports in TIME_WAIT
					c.Close()
				}
				if err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(begin).Seconds(), nil
}

// idle opens n connections, leaves them alone for a moment, uses each once more, and
// returns how many of them still work, and by how many bytes a connection the process
// that serves them has grown.
func (w way) idle(n int) (work int, each float64, err error) {
	before := resident(w.pid)
	conns := make([]net.Conn, 0, n)
	defer func() {
		for _, c := range conns {
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	for range n {
		c, openErr := w.open(askEcho)
		if openErr != nil {
			err = openErr
			break
		}
		conns = append(conns, c)
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		if err = echoed(c); err != nil {
			break
		}
	}
	time.Sleep(time.Second)
	each = float64(resident(w.pid)-before) / float64(max(len(conns), 1))
	for _, c := range conns {
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		if echoed(c) == nil {
			work++
		}
	}
	return work, each, err
}

// resident is a process's memory, in bytes (proc(5) VmRSS).
func resident(pid int) int64 {
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.Fields(text)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
