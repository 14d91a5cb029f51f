package portfwd

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Set is the forwards that one process serves. It is safe for concurrent use.
type Set struct {
	Dial   Dialer
	Limits Limits

	mu      sync.Mutex
	servers []*Server
}

// Status is a forward that is served, and what it has done.
type Status struct {
	Forward
	Stats
	Since time.Time `json:"since"`
}

// Add serves f, and returns it with the port that was chosen. A forward that leads from
// the same address and port to the same guest port is there already: that is success.
func (s *Set) Add(f Forward) (Forward, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.servers {
		if g := known.Forward(); f.HostPort != 0 && g.Host() == f.Host() && g.Protocol == f.Protocol && g.GuestPort == f.GuestPort && g.Via == f.Via {
			return g, nil
		}
	}
	server, err := Serve(f, s.Dial, s.Limits)
	if err != nil {
		return f, err
	}
	s.servers = append(s.servers, server)
	return server.Forward(), nil
}

// Remove ends the forward on this host port, and reports whether there was one.
func (s *Set) Remove(f Forward) bool {
	s.mu.Lock()
	i := slices.IndexFunc(s.servers, func(known *Server) bool {
		return known.Forward().Host() == f.Host() && known.Forward().Protocol == f.Protocol
	})
	if i < 0 {
		s.mu.Unlock()
		return false
	}
	server := s.servers[i]
	s.servers = slices.Delete(s.servers, i, i+1)
	s.mu.Unlock()
	server.Close()
	return true
}

// List tells of each forward, in the order in which they were added.
func (s *Set) List() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Status, 0, len(s.servers))
	for _, server := range s.servers {
		out = append(out, Status{server.Forward(), server.Stats(), server.since})
	}
	return out
}

// Drain ends all forwards as Server.Drain does, side by side.
func (s *Set) Drain(ctx context.Context) {
	s.mu.Lock()
	servers := s.servers
	s.servers = nil
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, server := range servers {
		wg.Go(func() { server.Drain(ctx) })
	}
	wg.Wait()
}
