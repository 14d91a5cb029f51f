package portfwd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxDatagram is the largest that IP carries.
const maxDatagram = 64 << 10

func (s *Server) listenUDP() error {
	address := net.UDPAddrFromAddrPort(s.forward.Host())
	conn, err := net.ListenUDP(family(s.forward), address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.forward.Host(), err)
	}
	s.forward.HostPort = conn.LocalAddr().(*net.UDPAddr).Port
	s.close = conn.Close
	s.work.Go(func() { s.receive(conn) })
	return nil
}

// receive hands each datagram to the flow of its sender.
func (s *Server) receive(conn *net.UDPConn) {
	flows := &flows{server: s, listener: conn, of: map[netip.AddrPort]*flow{}}
	buffer := make([]byte, maxDatagram)
	for {
		n, peer, err := conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // an ICMP answer to what we sent to some peer
			continue
		}
		if f := flows.get(peer); f != nil {
			f.send(buffer[:n])
		}
	}
}

// flows are the senders that are known at the moment.
type flows struct {
	server   *Server
	listener *net.UDPConn
	mu       sync.Mutex
	of       map[netip.AddrPort]*flow
}

// get returns peer's flow, a new one if there is none, or nil if there are too many.
func (fs *flows) get(peer netip.AddrPort) *flow {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f := fs.of[peer]; f != nil {
		return f
	}
	f := &flow{}
	c := &connection{cut: f.cut, live: f.live}
	if !fs.server.admit(c) {
		return nil
	}
	fs.of[peer] = f
	fs.server.work.Go(func() {
		err := fs.serve(f, peer)
		fs.mu.Lock()
		delete(fs.of, peer)
		fs.mu.Unlock()
		f.cut()
		in, out := f.live()
		fs.server.done(c, in, out, err)
	})
	return f
}

// serve dials for a flow and brings the guest's answers back, until the flow has been
// silent for long, or was not answered for a while: then the next datagram makes a new
// one, which finds the guest where it is by then.
func (fs *flows) serve(f *flow, peer netip.AddrPort) error {
	guest, err := fs.server.dial(fs.server.ctx, fs.server.forward)
	if err != nil {
		return err
	}
	if !f.connect(guest) {
		return nil
	}
	buffer := make([]byte, maxDatagram)
	limits := fs.server.limits
	tick := min(limits.Unanswered, limits.FlowIdle)
	for heard := time.Now(); ; {
		_ = guest.SetReadDeadline(time.Now().Add(tick))
		n, err := guest.Read(buffer)
		sent := time.Unix(0, f.sent.Load())
		switch {
		case err == nil:
			heard = time.Now()
			f.out.Add(int64(n))
			_, _ = fs.listener.WriteToUDPAddrPort(buffer[:n], peer)
		case errors.Is(err, net.ErrClosed), unreachable(err) && !errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case sent.Sub(heard) > limits.Unanswered, time.Since(sent) >= limits.FlowIdle && time.Since(heard) >= limits.FlowIdle:
			return nil
		} // otherwise nothing came for a tick, or nobody listens there yet
	}
}

// flow is one sender's datagrams, both ways.
type flow struct {
	in, out atomic.Int64
	sent    atomic.Int64 // when the sender's last one came, in Unix nanoseconds

	mu      sync.Mutex
	guest   net.Conn // nil until it is there
	pending [][]byte
	ended   bool
}

// maxPending is how many datagrams wait for the dial. More are lost, as UDP allows.
const maxPending = 64

func (f *flow) send(datagram []byte) {
	f.sent.Store(time.Now().UnixNano())
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.guest != nil {
		f.write(datagram)
	} else if len(f.pending) < maxPending {
		f.pending = append(f.pending, append([]byte(nil), datagram...))
	}
}

func (f *flow) write(datagram []byte) {
	if n, err := f.guest.Write(datagram); err == nil {
		f.in.Add(int64(n))
	}
}

// connect gives the flow its other side, and that what has waited for it.
func (f *flow) connect(guest net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		guest.Close()
		return false
	}
	f.guest = guest
	for _, datagram := range f.pending {
		f.write(datagram)
	}
	f.pending = nil
	return true
}

func (f *flow) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	if f.guest != nil {
		f.guest.Close()
	}
}

func (f *flow) live() (in, out int64) { return f.in.Load(), f.out.Load() }
