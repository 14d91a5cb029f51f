package portfwd

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

func (s *Server) listenTCP() error {
	l, err := net.Listen(family(s.forward), s.forward.Host().String())
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.forward.Host(), err)
	}
	s.forward.HostPort = l.Addr().(*net.TCPAddr).Port
	s.close = l.Close
	s.work.Go(func() { s.accept(l.(*net.TCPListener)) })
	if six := s.listenOnIPv6Too(); six != nil {
		s.close = func() error { return errors.Join(l.Close(), six.Close()) }
		s.work.Go(func() { s.accept(six) })
	}
	return nil
}

// listenOnIPv6Too listens on ::1 where the forward is on 127.0.0.1: "localhost" is both,
// and ::1 is tried first (RFC 6724, RFC 8305). It returns nil where somebody else has the
// port there, or the host no IPv6: 127.0.0.1 alone is what was asked for.
func (s *Server) listenOnIPv6Too() *net.TCPListener {
	if s.forward.Address != netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
		return nil
	}
	l, err := net.ListenTCP("tcp6", &net.TCPAddr{IP: net.IPv6loopback, Port: s.forward.HostPort})
	if err != nil {
		return nil
	}
	return l
}

// family is Go's network that listens on f's address and no other: on "::" not on
// 0.0.0.0 as well.
func family(f Forward) string {
	if f.Address.Is6() {
		return string(f.Protocol) + "6"
	}
	return string(f.Protocol) + "4"
}

func (s *Server) accept(l *net.TCPListener) {
	for {
		client, err := l.AcceptTCP()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // no descriptors left, or the client is gone again
			select {
			case <-time.After(50 * time.Millisecond):
			case <-s.ctx.Done():
				return
			}
			continue
		}
		s.work.Go(func() { s.serveTCP(client) })
	}
}

// serveTCP is the life of one connection. What goes wrong in it stays in it.
func (s *Server) serveTCP(client *net.TCPConn) {
	p := &pipe{client: client, pipes: s.pipes}
	c := &connection{cut: p.cut, live: p.live}
	if !s.admit(c) {
		reset(client)
		return
	}
	guest, err := s.dial(s.ctx, s.forward)
	if err != nil {
		reset(client)
		s.done(c, 0, 0, err)
		return
	}
	in, out := p.run(guest.(duplex))
	s.done(c, in, out, nil)
}

// duplex is a connection whose halves end one by one.
type duplex interface {
	net.Conn
	CloseWrite() error
}

// reset closes a connection so that the peer gets an RST, as it would from a port where
// nobody listens, or from a peer that broke down.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// tcpBytes returns the bytes that the kernel has moved over the client's connection so far
// (tcp(7) TCP_INFO): splice(2) tells only at the end.
func tcpBytes(c *net.TCPConn) (received, acked int64) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, 0
	}
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			received, acked = int64(info.Bytes_received), int64(info.Bytes_acked)
		}
	})
	return received, acked
}

// move copies one direction to its end and passes the end on. Between two TCP
// connections the bytes stay in the kernel.
func (free kernelPipes) move(dst, src duplex) (n int64, err error) {
	to, isTCP := dst.(*net.TCPConn)
	if from, both := src.(*net.TCPConn); both && isTCP {
		n, err = free.splice(to, from)
	} else {
		n, err = io.Copy(dst, src)
	}
	if err != nil {
		return n, err
	}
	return n, dst.CloseWrite()
}
