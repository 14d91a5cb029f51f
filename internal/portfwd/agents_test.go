package portfwd

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	a := &Agents{Dir: dir, Command: command(dir)}
	t.Cleanup(func() {
		if err := a.Stop(context.Background(), "u1"); err != nil {
			t.Error(err)
		}
	})
	return a
}

// command is the command line of such a copy.
func command(dir string) func(string, bool) ([]string, error) {
	return func(name string, keeper bool) ([]string, error) {
		program, err := os.Executable()
		return []string{program, dir, name, strconv.FormatBool(keeper)}, err
	}
}

// runAgent is what it does.
func runAgent(guest string) error {
	a := &Agents{Dir: os.Args[1], Command: command(os.Args[1])}
	if os.Args[3] == "true" {
		return a.Keep(context.Background(), "u1")
	}
	set := &Set{Dial: func(ctx context.Context, _ Forward) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", guest)
	}}
	if os.Args[2] == "broken" {
		return errors.New("it does not work")
	}
	return a.Run(context.Background(), "u1", os.Args[2], set, func() bool { return true })
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

// processesIn are the agents and keepers of a.
func processesIn(t *testing.T, a *Agents) (agents, keepers []int) {
	t.Helper()
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		data, err := os.ReadFile(path)
		argv := strings.Split(string(data), "\x00")
		if err != nil || len(argv) < 4 || argv[1] != a.Dir {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		if argv[3] == "true" {
			keepers = append(keepers, pid)
		} else {
			agents = append(agents, pid)
		}
	}
	return agents, keepers
}

// both waits until there are one agent and one keeper, neither of them among not.
func both(t *testing.T, a *Agents, not ...int) (agent, keeper int) {
	t.Helper()
	var agents, keepers []int
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		agents, keepers = processesIn(t, a)
		if len(agents) == 1 && len(keepers) == 1 && !slices.Contains(not, agents[0]) && !slices.Contains(not, keepers[0]) {
			return agents[0], keepers[0]
		}
	}
	t.Fatalf("agents %v, keepers %v: want one each, and none of %v", agents, keepers, not)
	return 0, 0
}

// none waits until there is neither an agent nor a keeper.
func none(t *testing.T, a *Agents) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		agents, keepers := processesIn(t, a)
		if len(agents)+len(keepers) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("agents %v, keepers %v: want none", agents, keepers)
		}
	}
}

// Whichever of an agent and its keeper is killed comes back by itself; when both are,
// with the next question. The forwards are the same, on the same ports.
func TestAgentsAfterKill(t *testing.T) {
	ctx := t.Context()
	a := agentsAt(t, shortDir(t), guestAt(t, "127.0.0.1:0"))
	f, err := a.Add(ctx, "u1", "vm", Forward{Address: loopback4, GuestPort: 80, Protocol: TCP, Via: Relay})
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.Add(ctx, "u1", "vm", Forward{Address: loopback4, GuestPort: 81, Protocol: TCP, Via: Relay})
	if err != nil {
		t.Fatal(err)
	}
	if had, err := a.Remove(ctx, "u1", second); !had || err != nil {
		t.Fatal(had, err)
	}
	kill := func(pids ...int) { // all at once: none sees another die
		t.Helper()
		for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
			for _, pid := range pids {
				if err := syscall.Kill(pid, signal); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	awaitAnswer := func(what string) {
		t.Helper()
		begin, err := time.Now(), errors.New("none")
		for err != nil && time.Since(begin) < 10*time.Second {
			var c net.Conn
			if c, err = net.Dial("tcp", f.Host().String()); err == nil {
				err = answers(c)
				c.Close()
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		t.Logf("%s: answers after %s", what, time.Since(begin).Round(time.Millisecond))
	}

	agent, keeper := both(t, a)
	held := connect(t, f.HostPort)
	if err := answers(held); err != nil {
		t.Fatal(err)
	}
	kill(keeper)
	_, next := both(t, a, keeper)
	if err := answers(held); err != nil {
		t.Errorf("a connection while the keeper is killed: %v", err)
	}
	keeper = next

	kill(agent)
	awaitAnswer("the agent killed")
	agent, _ = both(t, a, agent)

	kill(keeper, agent)
	none(t, a)
	if list, err := a.List(ctx, "u1"); err != nil || len(list) != 1 || list[0].Forward != f {
		t.Errorf("after both were killed: %v, %v", list, err)
	}
	awaitAnswer("both killed")
	both(t, a, keeper, agent)

	if err := a.Stop(ctx, "u1"); err != nil {
		t.Fatal(err)
	}
	none(t, a)
	if list, err := a.List(ctx, "u1"); err != nil || list != nil {
		t.Errorf("after the stop: %v, %v", list, err)
	}
}

// An agent of a boot before this one is not wanted any more.
func TestAgentsAfterReboot(t *testing.T) {
	a := agentsAt(t, shortDir(t), guestAt(t, "127.0.0.1:0"))
	if err := os.WriteFile(a.path("u1", ".json"), []byte(`{"name": "vm", "boot": "another", "forwards": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := a.List(t.Context(), "u1"); err != nil || list != nil {
		t.Errorf("%v, %v", list, err)
	}
	if agents, keepers := processesIn(t, a); len(agents)+len(keepers) > 0 {
		t.Errorf("started: %v, %v", agents, keepers)
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
	if err := a.declare("u2", "vm"); err != nil {
		t.Fatal(err)
	}
	if err := a.Run(ctx, "u2", "vm", &Set{}, func() bool { return false }); err != nil {
		t.Error(err)
	}
}
