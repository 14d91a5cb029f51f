package critest

import (
	"context"
	"path"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Call is one call that the fake has received.
type Call struct {
	Method string // "RunPodSandbox"
	N      int    // this was the Nth call of the method, from 1
	Time   time.Time
	// Request is the message as it came, a pointer to a type of
	// k8s.io/cri-api/pkg/apis/runtime/v1.
	Request any
}

// Point is a moment: the Nth call of a method. Its methods say what then happens.
// Of several on the same call each takes its turn, in the order given.
type Point struct {
	s      *Server
	method string
	n      int
}

// rule is what At has arranged.
type rule struct {
	method string
	n      int // 0: every call
	act    func(ctx context.Context, next func() (any, error)) (any, error)
}

// At is the nth call of method from now on; 0 is every call.
func (s *Server) At(method string, n int) Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > 0 {
		n += s.counts[method]
	}
	return Point{s: s, method: method, n: n}
}

// Heal forgets all that At has arranged.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// Calls is what the fake has received, oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Count is how often method was called.
func (s *Server) Count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[method]
}

func (p Point) add(act func(ctx context.Context, next func() (any, error)) (any, error)) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.rules = append(p.s.rules, &rule{method: p.method, n: p.n, act: act})
}

// Fail answers with an error and does nothing.
func (p Point) Fail(code codes.Code, text string) {
	p.add(func(context.Context, func() (any, error)) (any, error) { return nil, status.Error(code, text) })
}

// LoseAnswer does what was asked, and the connection breaks before the answer.
func (p Point) LoseAnswer() {
	p.add(func(_ context.Context, next func() (any, error)) (any, error) {
		_, _ = next()
		return nil, status.Error(codes.Unavailable, "error reading from server: EOF")
	})
}

// FailAfter does what was asked and then answers with an error, as cri-dockerd
// does for a container whose log directory is missing.
func (p Point) FailAfter(code codes.Code, text string) {
	p.add(func(_ context.Context, next func() (any, error)) (any, error) {
		_, _ = next()
		return nil, status.Error(code, text)
	})
}

// Vanish ends the daemon before it does anything. Restart brings it back.
func (p Point) Vanish() {
	p.add(func(ctx context.Context, _ func() (any, error)) (any, error) {
		go p.s.Stop()
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	})
}

// Do calls f before the call is handled.
func (p Point) Do(f func()) {
	p.add(func(_ context.Context, next func() (any, error)) (any, error) {
		f()
		return next()
	})
}

// Stalled is a call that hangs.
type Stalled struct {
	reached chan struct{}
	release chan struct{}
	once    sync.Once
	arrive  sync.Once
}

// Reached is closed when a call has come to hang.
func (s *Stalled) Reached() <-chan struct{} { return s.reached }

// Release lets it go on.
func (s *Stalled) Release() { s.once.Do(func() { close(s.release) }) }

// Stall hangs until released, then goes on; or until the caller gives up, and
// then does nothing.
func (p Point) Stall() *Stalled {
	st := &Stalled{reached: make(chan struct{}), release: make(chan struct{})}
	p.add(func(ctx context.Context, next func() (any, error)) (any, error) {
		st.arrive.Do(func() { close(st.reached) })
		select {
		case <-st.release:
			return next()
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	})
	return st
}

// intercept records every call and lets the rules for it act.
func (s *Server) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	method := path.Base(info.FullMethod)
	s.mu.Lock()
	s.counts[method]++
	n := s.counts[method]
	s.calls = append(s.calls, Call{Method: method, N: n, Time: time.Now(), Request: req})
	var acts []*rule
	for _, r := range s.rules {
		if r.method == method && (r.n == 0 || r.n == n) {
			acts = append(acts, r)
		}
	}
	s.mu.Unlock()

	next := func() (any, error) { return handler(ctx, req) }
	for i := len(acts) - 1; i >= 0; i-- {
		act, inner := acts[i].act, next
		next = func() (any, error) { return act(ctx, inner) }
	}
	return next()
}
