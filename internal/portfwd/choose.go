package portfwd

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// Choose tries the rungs that need a process of ours for f, and returns the first that
// answers and the reason in a few words. A guest that does not listen yet gets the relay,
// which is there for it later. The guest's port sees a connection that ends at once.
func (g *Guest) Choose(ctx context.Context, f Forward) (Via, string) {
	if f.Protocol == UDP {
		return Relay, "the only one that carries UDP"
	}
	ctx, cancel := context.WithTimeout(ctx, chooseTime)
	defer cancel()
	f.Via = Relay
	conn, err := g.Dial(ctx, f)
	if err == nil {
		conn.Close()
		return Relay, "the pod's address answers"
	}
	if g.Stream == nil {
		return Relay, reason(err)
	}
	f.Via = Stream
	if g.answers(ctx, f) {
		return Stream, "the pod's address " + reason(err) + ", its loopback answers"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return Relay, "the guest does not listen yet"
	}
	return Relay, "nothing answers yet: the pod's address " + reason(err)
}

const (
	chooseTime = 8 * time.Second
	// settleLimit is how long a runtime may take to say that a port refuses; it never
	// says that one does not.
	settleLimit = 500 * time.Millisecond
)

// answers reports whether a stream is taken.
func (g *Guest) answers(ctx context.Context, f Forward) bool {
	conn, err := g.Dial(ctx, f)
	if err != nil {
		return false
	}
	defer conn.Close()
	s, ok := conn.(interface {
		Settled(context.Context, time.Duration) error
	})
	return !ok || s.Settled(ctx, settleLimit) == nil
}
