package portfwd

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// shortDir is a directory whose name leaves room for a socket's (unix(7): 108 bytes).
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// agentsAt starts agents that are copies of this program, and relay to guest.
func agentsAt(t *testing.T, dir string, guest net.Listener) *Agents {
	t.Helper()
	t.Setenv("PORTFWD_TEST_LISTEN", "agent|"+guest.Addr().String())
	a := &Agents{Dir: dir, Command: func(name string) ([]string, error) { return []string{os.Args[0], dir, name}, nil }}
	t.Cleanup(func() {
		if err := a.Stop(context.Background(), "u1"); err != nil {
			t.Error(err)
		}
	})
	return a
}

// runAgent is what such a copy does.
func runAgent(guest string) error {
	set := &Set{Dial: func(ctx context.Context, _ Forward) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", guest)
	}}
	if os.Args[2] == "broken" {
		return errors.New("it does not work")
	}
	return (&Agents{Dir: os.Args[1]}).Run(context.Background(), "u1", set, func() bool { return true })
}

// holderOf is the process that listens on f's host port.
func holderOf(t *testing.T, f Forward) int {
	t.Helper()
	var taken *TakenError
	if err := Check(f); !errors.As(err, &taken) || taken.Owner.PID == 0 {
		t.Fatalf("nobody listens for %s: %v", f, err)
	}
	return taken.Owner.PID
}

func TestAgentsLife(t *testing.T) {
	ctx := t.Context()
	a := agentsAt(t, shortDir(t), guestAt(t, "127.0.0.1:0"))
	want := Forward{Name: "web", Address: loopback4, GuestPort: 80, Protocol: TCP, Via: Relay}
	if list, err := a.List(ctx, "u1"); err != nil || list != nil {
		t.Errorf("before: %v, %v", list, err)
	}
	// Several commands at once start one process.
	found := make(chan Forward, 4)
	for range cap(found) {
		go func() {
			f, err := a.Add(ctx, "u1", "vm", want)
			if err != nil {
				t.Error(err)
			}
			found <- f
		}()
	}
	pids := map[int]bool{}
	var f Forward
	for range cap(found) {
		f = <-found
		pids[holderOf(t, f)] = true
	}
	if len(pids) != 1 || pids[os.Getpid()] {
		t.Errorf("processes %v, want one that is not this", pids)
	}
	if err := answers(connect(t, f.HostPort)); err != nil {
		t.Error(err)
	}
	again, err := a.Add(ctx, "u1", "vm", f)
	if list, listErr := a.List(ctx, "u1"); err != nil || again != f || listErr != nil || len(list) != cap(found) {
		t.Errorf("the same once more: %v, %v; %d forwards, %v", again, err, len(list), listErr)
	}
	if _, err := a.Add(ctx, "u1", "vm", Forward{Address: loopback4, HostPort: f.HostPort, GuestPort: 81, Protocol: TCP, Via: Relay}); !errors.Is(err, ErrTaken) {
		t.Errorf("a port that is taken: %v", err)
	}
	if had, err := a.Remove(ctx, "u1", f); !had || err != nil || Check(f) != nil {
		t.Errorf("removed: %v, %v, %v", had, err, Check(f))
	}
	if had, err := a.Remove(ctx, "u1", f); had || err != nil {
		t.Errorf("removed again: %v, %v", had, err)
	}
	if err := errors.Join(a.Stop(ctx, "u1"), a.Stop(ctx, "u1")); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(a.Dir + "/*"); len(left) != 1 || filepath.Ext(left[0]) != ".lock" {
		t.Errorf("left: %v", left)
	}
}

// An agent that was killed leaves a socket and a lock file: neither is in the way.
func TestAgentsAfterKill(t *testing.T) {
	ctx := t.Context()
	a := agentsAt(t, shortDir(t), guestAt(t, "127.0.0.1:0"))
	f, err := a.Add(ctx, "u1", "vm", Forward{Address: loopback4, GuestPort: 80, Protocol: TCP, Via: Relay})
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, f.HostPort)
	if err := answers(c); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(holderOf(t, f), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c) // until it is gone
	for deadline := time.Now().Add(5 * time.Second); Check(f) != nil && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if list, err := a.List(ctx, "u1"); err != nil || list != nil {
		t.Errorf("after the kill: %v, %v", list, err)
	}
	if again, err := a.Add(ctx, "u1", "vm", f); err != nil || again != f {
		t.Fatalf("%v, %v", again, err)
	}
	if err := answers(connect(t, f.HostPort)); err != nil {
		t.Error(err)
	}
}

func TestAgentsThatDoNotStart(t *testing.T) {
	a := agentsAt(t, shortDir(t), guestAt(t, "127.0.0.1:0"))
	if _, err := a.Add(t.Context(), "u1", "broken", Forward{}); err == nil || err.Error() != "the process that forwards: exit status 1: it does not work" {
		t.Errorf("%v", err)
	}
	a.Command = nil
	if _, err := a.Add(t.Context(), "u1", "vm", Forward{}); !errors.Is(err, ErrNoAgent) {
		t.Errorf("%v", err)
	}
}

func TestAgentEndsWithItsMachine(t *testing.T) {
	a := &Agents{Dir: shortDir(t)}
	g := &agent{set: &Set{}, stop: func() {}}
	if got := g.answer(request{Verb: "dance"}); got.Error == "" {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx, "u2", &Set{}, func() bool { return false }); err != nil {
		t.Error(err)
	}
}
