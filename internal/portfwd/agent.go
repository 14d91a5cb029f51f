package portfwd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// aliveEvery is how often an agent looks whether it is still needed.
const aliveEvery = 5 * time.Second

// Run is the life of an agent: it serves set and answers questions until ctx ends, Stop
// is called, or alive says that the machine needs it no more. If another agent serves the
// machine already, Run ends at once, and that is success.
func (a *Agents) Run(ctx context.Context, uid string, set *Set, alive func() bool) error {
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return err
	}
	lock, err := a.lock(uid)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("lock the forwards: %w", err)
	}
	defer lock.Close()
	socket := a.path(uid, ".sock")
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	agent := &agent{set: set, stop: cancel}
	agent.work.Go(func() { agent.accept(l) })
	agent.watch(ctx, alive)
	_ = l.Close() // removes the socket
	agent.work.Wait()
	grace, stop := context.WithTimeout(context.Background(), agentGrace)
	defer stop()
	set.Drain(grace)
	_ = os.Remove(a.path(uid, ".log")) // it ended as it should; the lock file stays: others may wait for it
	return nil
}

// agentGrace is how long connections may still end by themselves once the machine is
// being stopped. By then the guest has ended, as a rule.
const agentGrace = 500 * time.Millisecond

type agent struct {
	set  *Set
	stop func()
	work sync.WaitGroup
}

// watch returns when the agent's time has come.
func (g *agent) watch(ctx context.Context, alive func() bool) {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !alive() {
				return
			}
		}
	}
}

func (g *agent) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		g.work.Go(func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(answerTime))
			var r request
			if err := json.NewDecoder(conn).Decode(&r); err != nil {
				return
			}
			_ = json.NewEncoder(conn).Encode(g.answer(r))
		})
	}
}

func (g *agent) answer(r request) answer {
	switch r.Verb {
	case "list":
		return answer{Forwards: g.set.List()}
	case "add":
		f, err := g.set.Add(r.Forward)
		if err != nil {
			return answer{Error: err.Error(), Taken: errors.Is(err, ErrTaken)}
		}
		return answer{Forward: f}
	case "remove":
		if g.set.Remove(r.Forward) {
			return answer{Forward: r.Forward}
		}
		return answer{}
	case "stop":
		g.stop()
		return answer{}
	}
	return answer{Error: fmt.Sprintf("unknown verb %q", r.Verb)}
}
