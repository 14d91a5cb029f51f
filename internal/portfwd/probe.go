package portfwd

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// State is what a test of a forward found.
type State int

// The findings of a test.
const (
	Unknown State = iota // nothing can be said: UDP that nobody refuses, or no time
	Answers              // the host port leads to something that answers
	NotYet               // nothing answers behind the port: the guest is not that far
	Broken               // the guest answers on the pod's address, the host port does not
)

func (s State) String() string {
	switch s {
	case Answers:
		return "answers"
	case NotYet:
		return "not yet"
	case Broken:
		return "broken"
	}
	return "unknown"
}

// The hops of a forward, for Result.Hop.
const (
	HopHost  = "host port"   // this host's address and port, up to the pod
	HopPod   = "pod address" // the pod's address, up to the guest
	HopGuest = "guest port"  // the port in the guest
)

// Result is the finding on one forward.
type Result struct {
	Forward Forward
	State   State
	Hop     string // the first that does not answer, "" when all do
	Detail  string // what was seen, in one line
	Hint    string // what to do about a Broken forward
}

// Probe tests forwards. The zero value is ready to use.
type Probe struct {
	// Timeout bounds each try; 0 means one second.
	Timeout time.Duration
	// Echo is sent to a UDP port, which must send something back. Without it an empty
	// datagram is sent, and only a refusal says anything.
	Echo []byte
	// Settle has each TCP connection last for a moment. In user-mode networking one is
	// taken for a guest that does not listen, and ended at once.
	Settle bool
}

// Test is the zero Probe's Test.
func Test(ctx context.Context, f Forward, podIP string) Result {
	return Probe{}.Test(ctx, f, podIP)
}

// Test connects to f's host port and, beside it, to the guest's port on the pod's address
// podIP ("" when that is unknown), and compares. It does not wait for the guest: ask
// again while the answer is NotYet.
func (p Probe) Test(ctx context.Context, f Forward, podIP string) Result {
	r := Result{Forward: f}
	if err := f.validate(); err != nil {
		r.Detail = err.Error()
		return r
	}
	if f.Protocol == UDP && len(p.Echo) == 0 {
		return p.testRefusal(ctx, r, podIP)
	}
	host := f.Local().String()
	hostErr := p.tryHost(ctx, f)
	if hostErr == nil {
		r.State, r.Detail = Answers, host+" answers"
		return r
	}
	if podIP == "" {
		return r.pending(ctx, HopHost, fmt.Sprintf("%s %s", host, reason(hostErr)))
	}
	addr, err := netip.ParseAddr(podIP)
	if err != nil {
		return r.pending(ctx, HopPod, fmt.Sprintf("pod address %q is none", podIP))
	}
	pod := netip.AddrPortFrom(addr, uint16(f.GuestPort)).String()
	if podErr := p.tryLasting(ctx, f.Protocol, pod); podErr != nil {
		return r.pending(ctx, HopPod, fmt.Sprintf("%s %s", pod, reason(podErr)))
	}
	// The guest may have come up between the two: only a second refusal counts.
	if hostErr = p.tryHost(ctx, f); hostErr == nil {
		r.State, r.Detail = Answers, host+" answers"
		return r
	}
	if ctx.Err() != nil {
		return r.pending(ctx, HopHost, "")
	}
	r.State, r.Hop = Broken, HopHost
	r.Detail = fmt.Sprintf("%s answers, but %s %s", pod, host, reason(hostErr))
	r.Hint = brokenHint(f, pod)
	return r
}

// testRefusal tests UDP by an empty datagram: a host where nobody listens refuses it
// (ICMP port unreachable), and whoever listens need not answer.
func (p Probe) testRefusal(ctx context.Context, r Result, podIP string) Result {
	host := r.Forward.Local().String()
	if !refuses(ctx, host) {
		r.Detail = host + " does not refuse, and UDP tells no more"
		return r
	}
	addr, err := netip.ParseAddr(podIP)
	if err != nil {
		return r.pending(ctx, HopHost, host+" refuses")
	}
	pod := netip.AddrPortFrom(addr, uint16(r.Forward.GuestPort)).String()
	if refuses(ctx, pod) || !refuses(ctx, host) {
		return r.pending(ctx, HopPod, pod+" refuses")
	}
	r.State, r.Hop, r.Hint = Broken, HopHost, brokenHint(r.Forward, pod)
	r.Detail = fmt.Sprintf("%s does not refuse, but %s does", pod, host)
	return r
}

// pending is the result when nothing answered: not yet, or no time left to tell.
func (r Result) pending(ctx context.Context, hop, detail string) Result {
	if err := ctx.Err(); err != nil {
		r.State, r.Detail = Unknown, "test ended early: "+err.Error()
		return r
	}
	r.State, r.Hop, r.Detail = NotYet, hop, detail
	return r
}

// brokenHint says why a mapped port may not answer. A CNI network without portmap drops
// mappings silently (containerd internal/cri toCNIPortMappings); CRI-O's own manager
// serves no loopback address (cri-o server/sandbox_network.go).
func brokenHint(f Forward, pod string) string {
	if f.Via.Ours() {
		return "the process that listens is gone, or cannot reach the pod: vmctl up starts it again; the guest is reachable at " + pod
	}
	if f.Local().Addr().IsLoopback() {
		return "the runtime mapped no port on loopback: its CNI network lacks the portmap plugin, or it is CRI-O, " +
			"which never does; the guest is reachable at " + pod
	}
	return "the runtime mapped no port: its CNI network lacks the portmap plugin, or a firewall drops it; " +
		"the guest is reachable at " + pod
}
