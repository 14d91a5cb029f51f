package portfwd

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

const defaultTimeout = time.Second

// tryHost connects to f's host port. What listens there for us takes every connection, and
// resets it when the guest takes none: so it has to last for a moment.
func (p Probe) tryHost(ctx context.Context, f Forward) error {
	p.Settle = p.Settle || f.Via.Ours()
	return p.tryLasting(ctx, f.Protocol, f.Local().String())
}

// tryLasting is try, and has the connection last if it is to.
func (p Probe) tryLasting(ctx context.Context, proto Protocol, addr string) error {
	if err := p.try(ctx, proto, addr); err != nil || !p.Settle || proto != TCP {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(settleLimit))
	if _, err := conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return syscall.ECONNREFUSED
	}
	return nil
}

// try connects to addr; for UDP it sends the echo and waits for any reply.
func (p Probe) try(ctx context.Context, proto Protocol, addr string) error {
	timeout := p.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, string(proto), addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if proto == TCP {
		if conn.LocalAddr().String() == conn.RemoteAddr().String() {
			return syscall.ECONNREFUSED // met ourselves by TCP's simultaneous open
		}
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(p.Echo); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// reason puts the error of a try in a word or two.
func reason(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refuses"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "is unreachable"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "does not answer"
	}
	return "fails: " + err.Error()
}

// refusalWait is how long an ICMP answer may take: it comes from this host or a pod on it.
const refusalWait = 200 * time.Millisecond

// refuses tells whether nobody listens on a UDP address.
func refuses(ctx context.Context, addr string) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	if _, err := conn.Write(nil); err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	_ = conn.SetReadDeadline(time.Now().Add(refusalWait))
	_, err = conn.Read(make([]byte, 1))
	return errors.Is(err, syscall.ECONNREFUSED)
}
