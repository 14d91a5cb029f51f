package portfwd

import (
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Dialer connects to the guest's side of a forward. Guest.Dial is one.
type Dialer func(context.Context, Forward) (net.Conn, error)

// Limits bound what one forward may use. Zero fields are the defaults.
type Limits struct {
	Connections int           // at once, or flows of UDP; 16384
	FlowIdle    time.Duration // after which a silent UDP flow ends; 60 s
	Unanswered  time.Duration // after which an unanswered UDP flow dials anew; 10 s
}

func (l Limits) orDefaults() Limits {
	if l.Connections == 0 {
		l.Connections = 16384
	}
	if l.FlowIdle == 0 {
		l.FlowIdle = time.Minute
	}
	if l.Unanswered == 0 {
		l.Unanswered = 10 * time.Second
	}
	return l
}

// Stats is what a forward has done. In is towards the guest, Out from it.
type Stats struct {
	Open      int    `json:"open"`   // connections, or flows of UDP, at this moment
	Total     int64  `json:"total"`  // since the listener is there, those that were refused too
	Failed    int64  `json:"failed"` // that the guest's side did not take
	In        int64  `json:"bytes_in"`
	Out       int64  `json:"bytes_out"`
	LastError string `json:"last_error,omitempty"` // why the last failed
}

// Server listens for one forward and serves it until it is closed.
type Server struct {
	forward Forward
	dial    Dialer
	limits  Limits
	since   time.Time
	close   func() error // ends the listening
	pipes   kernelPipes

	ctx    context.Context // of the dials
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu    sync.Mutex
	stats Stats
	open  map[*connection]struct{}
}

// connection is one that can be cut: a TCP connection with its other half, or a flow.
type connection struct {
	cut  func()
	live func() (in, out int64)
}

// Serve listens for f and forwards through dial. A HostPort of 0 is any free port, which
// Forward then tells. An error that matches ErrTaken names who has the port, also where it
// is mapped in the kernel and no socket shows it.
func Serve(f Forward, dial Dialer, l Limits) (*Server, error) {
	if err := taken(f); err != nil {
		return nil, err
	}
	s := &Server{forward: f, dial: dial, limits: l.orDefaults(), since: time.Now(), pipes: make(kernelPipes, sparePipes), open: map[*connection]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	listen := s.listenTCP
	if f.Protocol == UDP {
		listen = s.listenUDP
	}
	if err := listen(); err != nil {
		s.cancel()
		return nil, cmp.Or(taken(f), err)
	}
	return s, nil
}

// taken says who has f's port, if that is known.
func taken(f Forward) error {
	if f.HostPort == 0 {
		return nil
	}
	if err := Check(f); errors.Is(err, ErrTaken) {
		return err
	}
	return nil
}

// Forward is what is served, with the port that was chosen.
func (s *Server) Forward() Forward { return s.forward }

// Stats counts up to this moment, what is open included.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Open = len(s.open)
	for c := range s.open {
		in, back := c.live()
		out.In, out.Out = out.In+in, out.Out+back
	}
	return out
}

// Close ends the forward at once, with all its connections.
func (s *Server) Close() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	s.Drain(ended)
}

// Drain takes nothing new, lets what is open end by itself until ctx ends, and then cuts
// it. All of the forward is gone when it returns.
func (s *Server) Drain(ctx context.Context) {
	_ = s.close()
	idle := make(chan struct{})
	go func() { s.work.Wait(); close(idle) }()
	if s.forward.Protocol == TCP {
		select {
		case <-idle:
		case <-ctx.Done():
		}
	}
	s.cancel()
	s.mu.Lock()
	for c := range s.open {
		c.cut()
	}
	s.mu.Unlock()
	<-idle
	s.pipes.close()
}

// admit counts one more, unless there are too many.
func (s *Server) admit(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Total++
	if len(s.open) >= s.limits.Connections {
		s.stats.Failed++
		s.stats.LastError = "too many connections at once"
		return false
	}
	s.open[c] = struct{}{}
	return true
}

// done counts what an admitted one has moved, and its failure.
func (s *Server) done(c *connection, in, out int64, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	s.stats.In, s.stats.Out = s.stats.In+in, s.stats.Out+out
	if failure != nil {
		s.stats.Failed++
		s.stats.LastError = failure.Error()
	}
}
