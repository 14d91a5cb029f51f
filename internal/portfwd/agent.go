package portfwd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// aliveEvery is how often an agent looks whether it is still needed.
const aliveEvery = 5 * time.Second

// Run is the life of an agent: it serves set and answers questions until ctx ends, Stop
// is called, or alive says that the machine needs it no more. What an agent that was
// killed was serving is served again. If another agent serves the machine already, or
// none is wanted any more, Run ends at once, and that is success.
func (a *Agents) Run(ctx context.Context, uid, name string, set *Set, alive func() bool) error {
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
	g := &agent{agents: a, uid: uid, name: name, set: set, lonely: make(chan struct{}, 1)}
	if !g.resume() {
		return nil
	}
	socket := a.path(uid, ".sock")
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	ctx, g.stop = context.WithCancel(ctx)
	defer g.stop()
	var release func()
	g.kept, release = context.WithCancel(context.Background())
	g.work.Go(func() { g.accept(l) })
	g.watch(ctx, alive)
	err = a.unwant(uid)
	release()
	_ = l.Close() // removes the socket
	g.work.Wait()
	grace, stop := context.WithTimeout(context.Background(), agentGrace)
	defer stop()
	set.Drain(grace)
	_ = os.Remove(a.path(uid, ".log")) // it ended as it should; the lock file stays: others may wait for it
	return err
}

// agentGrace is how long connections may still end by themselves once the machine is
// being stopped. By then the guest has ended, as a rule.
const agentGrace = 500 * time.Millisecond

// agent is a process that serves one machine's forwards.
type agent struct {
	agents    *Agents
	uid, name string
	set       *Set
	stop      func()
	work      sync.WaitGroup

	kept   context.Context // ends when the keeper is to end
	lonely chan struct{}   // the keeper has died

	mu     sync.Mutex // of what follows, and of what is written down
	keeper bool       // there is one
}

// resume serves what an agent that was killed was serving, and reports whether one is
// wanted still. What cannot be had any more is told in the log and left out.
func (g *agent) resume() (wanted bool) {
	state, wanted := g.agents.wanted(g.uid)
	if !wanted {
		return false
	}
	for _, f := range state.Forwards {
		if _, err := g.set.Add(f); err != nil {
			g.log(err)
		}
	}
	return true
}

// log tells what is not the fault of who asks.
func (g *agent) log(what any) {
	fmt.Fprintln(os.Stderr, time.Now().UTC().Format(time.RFC3339), what)
}

// note writes down what is served now.
func (g *agent) note() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	state := agentState{Name: g.name}
	for _, s := range g.set.List() {
		state.Forwards = append(state.Forwards, s.Forward)
	}
	return g.agents.want(g.uid, state)
}

// watch returns when the agent's time has come. Until then it sees to it that there is a
// keeper.
func (g *agent) watch(ctx context.Context, alive func() bool) {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	first := time.After(keeperTime)
	for {
		select {
		case <-ctx.Done():
			return
		case <-first:
		case <-g.lonely:
		case <-tick.C:
			if !alive() {
				return
			}
		}
		g.ensureKeeper()
	}
}

// keeperTime is how long the keeper that has started an agent may take to be there. An
// agent without one starts one then.
const keeperTime = 200 * time.Millisecond

func (g *agent) ensureKeeper() {
	g.mu.Lock()
	there := g.keeper
	g.mu.Unlock()
	if there || g.agents.Command == nil {
		return
	}
	if _, err := g.agents.start(g.uid, g.name, true); err != nil {
		g.log(fmt.Errorf("no keeper: %w", err))
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
			if r.Verb == "keep" {
				g.beKept(conn.(*net.UnixConn))
				return
			}
			_ = json.NewEncoder(conn).Encode(g.answer(r))
		})
	}
}

// beKept holds the agent's end of its keeper's connection.
func (g *agent) beKept(conn *net.UnixConn) {
	g.mu.Lock()
	there := g.keeper
	g.keeper = true
	g.mu.Unlock()
	if there {
		_ = json.NewEncoder(conn).Encode(answer{Error: errKept.Error()})
		return
	}
	_ = conn.SetDeadline(time.Time{})
	defer context.AfterFunc(g.kept, func() {
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		_ = conn.CloseWrite()
	})()
	if err := json.NewEncoder(conn).Encode(answer{}); err == nil {
		_, _ = io.Copy(io.Discard, conn)
	}
	g.mu.Lock()
	g.keeper = false
	g.mu.Unlock()
	select {
	case g.lonely <- struct{}{}:
	default:
	}
}

func (g *agent) answer(r request) answer {
	switch r.Verb {
	case "list":
		return answer{Forwards: g.set.List()}
	case "add":
		f, err := g.set.Add(r.Forward)
		if err == nil {
			err = g.note()
		}
		if err != nil {
			return answer{Error: err.Error(), Taken: errors.Is(err, ErrTaken)}
		}
		return answer{Forward: f}
	case "remove":
		if !g.set.Remove(r.Forward) {
			return answer{}
		}
		if err := g.note(); err != nil {
			return answer{Error: err.Error()}
		}
		return answer{Forward: r.Forward}
	case "stop":
		g.stop()
		return answer{}
	}
	return answer{Error: fmt.Sprintf("unknown verb %q", r.Verb)}
}
