package portfwd

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// hostLock is an abstract socket (unix(7)): it belongs to a network namespace, as ports
// do, needs no directory that all users may write to, and is nobody's once its process ends.
const hostLock = "@vmctl-ports"

// hostLockLimit is how long another user's start is waited for. The lock is for the moment
// between the choice of a port and its mapping; who holds it for longer has no claim to it.
const hostLockLimit = 30 * time.Second

// LockHost keeps other vmctl processes of this host, whoever's they are, from choosing ports
// until release is called. Where it cannot be had in time there is none: the checks remain.
func LockHost(ctx context.Context) (release func(), err error) {
	deadline := time.Now().Add(hostLockLimit)
	for {
		l, err := net.Listen("unix", hostLock)
		if err == nil {
			return func() { _ = l.Close() }, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return func() {}, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
