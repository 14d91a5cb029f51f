package portfwd

import (
	"context"
	"fmt"
	"net"
	"runtime"

	"github.com/vishvananda/netns"
)

// dialInside connects from within the network namespace at path, as root. A socket
// belongs to the namespace that its thread was in when it was made, so only the dial
// happens there.
func dialInside(ctx context.Context, path, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		// Never unlocked: the thread ends with its changed namespace.
		runtime.LockOSThread()
		conn, err := enterAndDial(ctx, path, network, address)
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

func enterAndDial(ctx context.Context, path, network, address string) (net.Conn, error) {
	ns, err := netns.GetFromPath(path)
	if err != nil {
		return nil, fmt.Errorf("network namespace %s: %w", path, err)
	}
	defer ns.Close()
	if err := netns.Set(ns); err != nil {
		return nil, fmt.Errorf("enter network namespace %s: %w", path, err)
	}
	// An address and no name: the dial stays on this goroutine, and so on this thread.
	return new(net.Dialer).DialContext(ctx, network, address)
}
