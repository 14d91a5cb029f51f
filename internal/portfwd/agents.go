package portfwd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Agents are the small processes that serve the forwards of one machine each, as long as
// it is up. An agent belongs to no terminal and no command: it is found by its socket,
// which is named after the machine's uid, and there is one at most, for it holds a lock.
type Agents struct {
	// Dir is where their sockets, locks and logs are, $XDG_RUNTIME_DIR/vmctl: what is
	// there does not survive the host's boot, and neither do agents.
	Dir string
	// Command is the command line of an agent for the machine of this name, or of its
	// keeper. It must end in a call of Run, or of Keep. Nil: none can be started from here.
	Command func(name string, keeper bool) ([]string, error)
}

// ErrNoAgent says that no agent serves the machine.
var ErrNoAgent = errors.New("no process serves forwards")

// request is one question to an agent, and answer what it says: a line of JSON each.
type request struct {
	Verb    string  `json:"verb"` // list, add, remove, stop, keep
	Forward Forward `json:"forward,omitzero"`
}

type answer struct {
	Error    string   `json:"error,omitempty"`
	Taken    bool     `json:"taken,omitempty"` // the error is ErrTaken
	Forward  Forward  `json:"forward,omitzero"`
	Forwards []Status `json:"forwards,omitempty"`
}

func (a *Agents) path(uid, suffix string) string { return filepath.Join(a.Dir, uid+suffix) }

// answerTime is how long an agent may think.
const answerTime = 10 * time.Second

// ask puts one question to the machine's agent.
func (a *Agents) ask(ctx context.Context, uid string, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", a.path(uid, ".sock"))
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", ErrNoAgent, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	var reply answer
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return answer{}, fmt.Errorf("%w: %w", ErrNoAgent, err)
	}
	if err := json.NewDecoder(conn).Decode(&reply); err != nil {
		return answer{}, fmt.Errorf("%w: %w", ErrNoAgent, err)
	}
	switch {
	case reply.Taken:
		return reply, &toldError{reply.Error, ErrTaken}
	case reply.Error != "":
		return reply, errors.New(reply.Error)
	}
	return reply, nil
}

// toldError is an agent's error that is also one of ours.
type toldError struct {
	text string
	kind error
}

func (e *toldError) Error() string { return e.text }
func (e *toldError) Unwrap() error { return e.kind }

// List tells of the machine's forwards that are served, none if there is no agent. One
// that was killed together with its keeper is started anew.
func (a *Agents) List(ctx context.Context, uid string) ([]Status, error) {
	reply, err := a.ask(ctx, uid, request{Verb: "list"})
	if !errors.Is(err, ErrNoAgent) {
		return reply.Forwards, err
	}
	state, wanted := a.wanted(uid)
	if !wanted || a.Command == nil {
		return nil, nil
	}
	if err := a.revive(ctx, uid, state.Name); err != nil {
		return nil, err
	}
	reply, err = a.ask(ctx, uid, request{Verb: "list"})
	return reply.Forwards, err
}

// Start starts the machine's agent if there is none, with nothing to forward.
func (a *Agents) Start(ctx context.Context, uid, name string) error {
	return a.ensure(ctx, uid, name)
}

// Add has the machine's agent serve f as well; see Set.Add. The agent is started if there
// is none.
func (a *Agents) Add(ctx context.Context, uid, name string, f Forward) (Forward, error) {
	if err := a.ensure(ctx, uid, name); err != nil {
		return f, err
	}
	reply, err := a.ask(ctx, uid, request{"add", f})
	return reply.Forward, err
}

// Remove ends the forward on f's host port, and reports whether there was one.
func (a *Agents) Remove(ctx context.Context, uid string, f Forward) (bool, error) {
	reply, err := a.ask(ctx, uid, request{"remove", f})
	if errors.Is(err, ErrNoAgent) {
		return false, nil
	}
	return reply.Forward.GuestPort != 0, err
}

// Stop ends the machine's agent with all its forwards, and waits until it is gone. No
// agent is success.
func (a *Agents) Stop(ctx context.Context, uid string) error {
	if _, err := a.ask(ctx, uid, request{Verb: "stop"}); err != nil {
		if !errors.Is(err, ErrNoAgent) {
			return err
		}
		return a.unwant(uid) // one that was killed is not to come back
	}
	for {
		lock, err := a.lock(uid)
		if err == nil {
			return lock.Close()
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// lock takes the agent's lock, or fails with EWOULDBLOCK. It ends with the file.
func (a *Agents) lock(uid string) (*os.File, error) {
	f, err := os.OpenFile(a.path(uid, ".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// startTime is how long an agent may take to answer after its start.
const startTime = 15 * time.Second

// ensure starts an agent unless one answers. Of two that are started at once, one finds
// the lock taken and ends.
func (a *Agents) ensure(ctx context.Context, uid, name string) error {
	if a.Command == nil {
		_, err := a.ask(ctx, uid, request{Verb: "list"})
		return err
	}
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return fmt.Errorf("directory of the forwards: %w", err)
	}
	if err := a.declare(uid, name); err != nil {
		return fmt.Errorf("say that forwards are wanted: %w", err)
	}
	err := a.revive(ctx, uid, name)
	if state, _ := a.wanted(uid); err != nil && len(state.Forwards) == 0 {
		return errors.Join(err, a.unwant(uid))
	}
	return err
}

// revive starts an agent that is wanted, unless one answers.
func (a *Agents) revive(ctx context.Context, uid, name string) error {
	if _, err := a.ask(ctx, uid, request{Verb: "list"}); !errors.Is(err, ErrNoAgent) {
		return err
	}
	ended, err := a.start(uid, name, false)
	if err != nil {
		return err
	}
	return a.awaitStart(ctx, uid, ended)
}

// start starts an agent, or a keeper, that belongs to no terminal. What it has to say
// goes to the agent's log; ended tells how it ended.
func (a *Agents) start(uid, name string, keeper bool) (ended <-chan error, err error) {
	argv, err := a.Command(name, keeper)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(a.path(uid, ".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Args[0] = "vmctl"
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C in our terminal is not for it
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the process that forwards: %w", err)
	}
	end := make(chan error, 1)
	go func() { end <- cmd.Wait() }()
	return end, nil
}

func (a *Agents) awaitStart(ctx context.Context, uid string, ended <-chan error) error {
	deadline := time.After(startTime)
	for {
		if _, err := a.ask(ctx, uid, request{Verb: "list"}); !errors.Is(err, ErrNoAgent) {
			return err
		}
		select {
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("the process that forwards: %w: %s", err, a.lastWord(uid))
			}
			if _, wanted := a.wanted(uid); !wanted {
				return ErrNoAgent // it was stopped meanwhile
			}
			ended = nil // another one has the lock, and will answer
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			return fmt.Errorf("%w after %s; see %s", ErrNoAgent, startTime, a.path(uid, ".log"))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// lastWord is the last line of the agent's log.
func (a *Agents) lastWord(uid string) string {
	data, err := os.ReadFile(a.path(uid, ".log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return lines[len(lines)-1]
}
