package portfwd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Pod is where a machine is at the moment. The zero value is nowhere.
type Pod struct {
	ID      string     // of the sandbox
	Address netip.Addr // of the sandbox
	NetNS   string     // path of its network namespace; "" where the runtime does not tell
}

// Guest dials the ports of one machine, wherever its pod is by then: a machine that was
// started anew has another address, and its old one may be another machine's. It is safe
// for concurrent use.
type Guest struct {
	// Lookup finds the pod. An error means that the runtime does not answer or that
	// there is none.
	Lookup func(context.Context) (Pod, error)
	// Stream opens a connection to a port of the pod's loopback through the runtime;
	// nil where that is not to be had.
	Stream func(ctx context.Context, sandboxID string, port int) (net.Conn, error)
	// Timeout bounds one dial; 0 is 10 s.
	Timeout time.Duration

	mu     sync.Mutex
	pod    Pod
	asked  time.Time
	inside bool // this host has no route to the pod: dial in its namespace
}

// podAge is how long a pod that was looked up is taken to be still there. A lookup takes
// milliseconds, a dial microseconds.
const podAge = time.Second

// Dial connects to f's guest port by f's rung, which is Relay or Stream.
func (g *Guest) Dial(ctx context.Context, f Forward) (net.Conn, error) {
	timeout := g.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	pod, fresh, err := g.where(ctx, podAge)
	if err != nil {
		return nil, err
	}
	conn, err := g.dialPod(ctx, f, pod)
	if err == nil || fresh {
		return conn, err
	}
	now, _, lookupErr := g.where(ctx, 0)
	if lookupErr != nil || now == pod {
		return nil, err
	}
	return g.dialPod(ctx, f, now)
}

// where returns the pod, looked up anew if what is known is older than age. A runtime
// that does not answer leaves what is known: machines go on without it.
func (g *Guest) where(ctx context.Context, age time.Duration) (pod Pod, fresh bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Since(g.asked) < age {
		return g.pod, false, nil
	}
	pod, err = g.Lookup(ctx)
	switch {
	case errors.Is(err, ErrNoPod):
		g.pod, g.asked = Pod{}, time.Time{}
		return Pod{}, false, err
	case err != nil && g.pod == Pod{}:
		return Pod{}, false, err
	case err == nil && pod != g.pod:
		g.pod, g.inside = pod, false
	}
	g.asked = time.Now()
	return g.pod, true, nil
}

// ErrNoPod is Lookup's error when the machine is not up.
var ErrNoPod = errors.New("the machine is not up")

func (g *Guest) dialPod(ctx context.Context, f Forward, pod Pod) (net.Conn, error) {
	if f.Via == Stream {
		if g.Stream == nil {
			return nil, errors.New("this runtime gives no streams")
		}
		return g.Stream(ctx, pod.ID, f.GuestPort)
	}
	if !pod.Address.IsValid() {
		return nil, errors.New("the pod has no address")
	}
	address := net.JoinHostPort(pod.Address.String(), strconv.Itoa(f.GuestPort))
	g.mu.Lock()
	inside := g.inside
	g.mu.Unlock()
	if inside {
		return dialInside(ctx, pod.NetNS, string(f.Protocol), address)
	}
	conn, err := dialDirect(ctx, pod, string(f.Protocol), address)
	if err == nil || !unreachable(err) || pod.NetNS == "" || os.Geteuid() != 0 {
		return conn, err
	}
	conn, insideErr := dialInside(ctx, pod.NetNS, string(f.Protocol), address)
	if insideErr != nil {
		return nil, err
	}
	g.mu.Lock()
	g.inside = g.pod == pod
	g.mu.Unlock()
	return conn, nil
}

// directShare is how much of a dial's time goes to the direct way where there is another.
const directShare = 3 * time.Second

func dialDirect(ctx context.Context, pod Pod, network, address string) (net.Conn, error) {
	if pod.NetNS != "" && os.Geteuid() == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, directShare)
		defer cancel()
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// unreachable tells whether err means that this host has no way to an address, rather
// than that nobody listens there.
func unreachable(err error) bool {
	for _, e := range []error{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EPERM, os.ErrDeadlineExceeded, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// String names the pod for people.
func (p Pod) String() string { return fmt.Sprintf("%s (sandbox %.13s)", p.Address, p.ID) }
