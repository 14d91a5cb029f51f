package portfwd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// ErrTaken is what every *TakenError is.
var ErrTaken = errors.New("port is taken")

// TakenError says that a host port is in use, and by whom as far as can be seen.
type TakenError struct {
	Forward Forward
	Owner   Owner
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("port %s/%s is taken by %s", e.Forward.Host(), e.Forward.Protocol, e.Owner)
}

// Is reports whether target is ErrTaken.
func (e *TakenError) Is(target error) bool { return target == ErrTaken }

// Check reports whether f's host port is free now: nil, a *TakenError naming who has it,
// or another error when the question makes no sense (no such address on this host).
// Listeners on every address count, and so does another container's forward as far as
// it answers. Check binds the port for a moment; it sends nothing but one TCP SYN.
func Check(f Forward) error { return checker{proc: "/proc"}.check(f) }

// checker looks owners up in a proc file system.
type checker struct{ proc string }

func (c checker) check(f Forward) error {
	if err := f.validate(); err != nil {
		return err
	}
	err := bind(f)
	switch {
	case err == nil:
		return c.forwarded(f)
	case errors.Is(err, syscall.EADDRINUSE):
		owner, _, err := c.owner(f)
		if err != nil {
			owner = Owner{} // taken all the same, only its owner stays unknown
		}
		return &TakenError{Forward: f, Owner: owner}
	case errors.Is(err, os.ErrPermission):
		// A low port may be bound by root only, but the runtime, not we, maps it.
		owner, found, err := c.owner(f)
		if found {
			return &TakenError{Forward: f, Owner: owner}
		}
		return err
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is not an address of this host", f.Address)
	}
	return fmt.Errorf("check port %s/%s: %w", f.Host(), f.Protocol, err)
}

// bind takes the port and lets it go again.
func bind(f Forward) error {
	network := string(f.Protocol) + "4"
	if f.Address.Is6() {
		network = string(f.Protocol) + "6"
	}
	if f.Protocol == UDP {
		c, err := net.ListenPacket(network, f.Host().String())
		if err != nil {
			return err
		}
		return c.Close()
	}
	l, err := net.Listen(network, f.Host().String())
	if err != nil {
		return err
	}
	return l.Close()
}

// dnatWait is how long a free port is given to answer: loopback refuses at once.
const dnatWait = 250 * time.Millisecond

// forwarded finds a TCP port that nobody listens on and that answers nevertheless: a
// DNAT rule sends it to a container.
func (c checker) forwarded(f Forward) error {
	if f.Protocol != TCP {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), dnatWait)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", f.Local().String())
	if err != nil {
		return nil
	}
	local, remote := conn.LocalAddr().String(), conn.RemoteAddr().String()
	conn.Close()
	if local == remote {
		return nil // TCP's simultaneous open: we have met ourselves
	}
	owner, found, err := c.owner(f) // somebody came between bind and dial
	if err != nil || !found {
		owner = Owner{Forward: true}
	}
	return &TakenError{Forward: f, Owner: owner}
}
