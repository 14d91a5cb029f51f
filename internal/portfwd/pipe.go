package portfwd

import (
	"net"
	"sync"
)

// pipe joins a client's connection with the guest's.
type pipe struct {
	client *net.TCPConn
	pipes  kernelPipes

	mu     sync.Mutex
	guest  duplex // nil until it is there
	broken bool
}

// run moves bytes both ways until both sides have ended, and returns how many went to
// the guest and how many came from it. An end is passed on while the other direction
// goes on; a failure of either direction resets both sides, as it would without us.
func (p *pipe) run(guest duplex) (in, out int64) {
	p.mu.Lock()
	p.guest = guest
	broken := p.broken
	p.mu.Unlock()
	if broken {
		p.cut()
		return 0, 0
	}
	var down sync.WaitGroup
	down.Go(func() {
		var err error
		if out, err = p.pipes.move(p.client, guest); err != nil {
			p.cut()
		}
	})
	in, err := p.pipes.move(guest, p.client)
	if err != nil {
		p.cut()
	}
	down.Wait()
	_ = p.client.Close()
	_ = guest.Close()
	return in, out
}

// cut ends both sides at once. It may be called at any time, and again.
func (p *pipe) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = true
	reset(p.client)
	if p.guest != nil {
		reset(p.guest)
	}
}

func (p *pipe) live() (in, out int64) { return tcpBytes(p.client) }
