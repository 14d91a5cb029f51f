//go:build e2e

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// follower is a command of vmctl's that prints lines of JSON until it is interrupted.
type follower struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer
}

func (f *follower) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.Write(p)
}

func (u *user) follow(args ...string) *follower {
	u.t.Helper()
	f := &follower{cmd: exec.Command(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), args...)}
	f.cmd.Env, f.cmd.Stdout, f.cmd.Stderr = u.env, f, os.Stderr
	if err := f.cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	return f
}

// end interrupts it, which is success, and returns the events that it printed.
func (f *follower) end(t *testing.T) []jsonEvent {
	t.Helper()
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := f.cmd.Wait(); err != nil {
		t.Errorf("%s: %v", f.cmd, err)
	}
	var out []jsonEvent
	for line := range strings.Lines(f.out.String()) {
		var e jsonEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, e)
	}
	return out
}

// has says whether it has printed text by now.
func (f *follower) has(text string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !strings.Contains(f.out.String(), text) {
		return fmt.Errorf("no %s in %s", text, f.out.String())
	}
	return nil
}

// inOrder checks that events of these kinds came in this order, whatever came between.
func inOrder(t *testing.T, events []jsonEvent, kinds ...string) {
	t.Helper()
	for _, e := range events {
		if len(kinds) > 0 && e.Event == kinds[0] {
			kinds = kinds[1:]
		}
	}
	if len(kinds) > 0 {
		t.Errorf("no %q in %+v", kinds[0], events)
	}
}

// TestE2EWatch looks at a guest on a runtime without events: what it uses, what happens to
// it, and that keys reach its console.
func TestE2EWatch(t *testing.T) {
	u := newUser(t, oneRuntime(t, "containerd-1")["containerd-1"])
	u.deleteAtEnd("demo")
	events := u.follow("events", "--json", "--since", "1m")
	u.run("up", "demo", "--set", "env.INSTALL_SECONDS=1")
	watch := u.follow("ls", "--watch", "--json", "--every", "200ms")
	var usage []jsonUsage
	if err := json.Unmarshal([]byte(u.run("stats", "--json")), &usage); err != nil || len(usage) != 1 {
		t.Fatalf("%v, %+v", err, usage)
	}
	s := usage[0]
	if s.CPUPercent == nil || s.NetInRate == nil || s.NetIn == nil || *s.NetIn == 0 || s.Memory == nil || *s.Memory < 100<<20 ||
		s.DiskSize == nil || *s.DiskSize != 1<<30 || s.DiskUsed == nil || *s.DiskUsed >= 1<<30 {
		t.Errorf("statistics %+v", s)
	}
	within(t, 10*time.Second, "ls --watch measures", func() error { return watch.has(`"cpu_percent":`) })
	if err := watch.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := watch.cmd.Wait(); err != nil {
		t.Errorf("ls --watch: %v", err)
	}
	u.run("keys", "demo", "ret", "--text", "echo keys-arrive | tr a-z A-Z > /dev/ttyS0\n")
	within(t, 10*time.Second, "what was typed on the console", func() error {
		if log := u.run("logs", "demo"); !strings.Contains(log, "KEYS-ARRIVE") {
			return fmt.Errorf("it is not in the log:\n%s", log)
		}
		return nil
	})
	u.run("stop", "demo")
	within(t, 10*time.Second, "the stop", func() error { return events.has(`"event":"stopped"`) })
	inOrder(t, events.end(t), "created", "starting", "ready", "stopped")
}

// TestE2EIdle leaves a guest alone that is to stop then: it does not while a connection to
// the guest, or to its viewer, is open.
func TestE2EIdle(t *testing.T) {
	endpoint := oneRuntime(t, "containerd-2")["containerd-2"]
	u := newUser(t, endpoint)
	u.env = append(u.env, "XDG_RUNTIME_DIR="+t.TempDir())
	u.deleteAtEnd("demo")
	events := u.follow("events", "--json", "--since", "1m")
	u.run("up", "demo", "--set", "lifecycle.idle.after=3s", "--set", "env.INSTALL_SECONDS=1")
	m := u.show("demo")
	for _, port := range []string{"echo", "viewer"} {
		var conn net.Conn
		within(t, 10*time.Second, "the guest listens", func() (err error) {
			conn, err = net.Dial("tcp", m.hostPort(t, port))
			return err
		})
		time.Sleep(4500 * time.Millisecond) // half as long again as it may be alone
		if got := u.show("demo"); got.Phase != "Running" {
			t.Errorf("%s while a connection to its port %s was open: %s", got.Phase, port, got.Reason)
		}
		conn.Close()
	}
	within(t, 40*time.Second, "the guest that nobody uses is shut down", func() error {
		return events.has(`"event":"stopped","text":"nobody used it for 3s"`)
	})
	within(t, 20*time.Second, "its sandbox is removed", func() error {
		if got := u.show("demo"); got.SandboxID != "" {
			return fmt.Errorf("it is there: %+v", got)
		}
		return nil
	})
	testNothingLeft(t, endpoint)
	if got := u.show("demo"); got.Phase != "Stopped" || got.Reason != "nobody used it for 3s" {
		t.Errorf("phase %s, reason %q", got.Phase, got.Reason)
	}
	if _, err := os.Stat(filepath.Join(m.Storage, "demo.boot")); err != nil {
		t.Errorf("it was not shut down cleanly: %v", err)
	}
	list := events.end(t)
	inOrder(t, list, "created", "starting", "ready", "stopped")
	if slices.ContainsFunc(list, func(e jsonEvent) bool { return e.Event == "failed" || e.Event == "lost" }) {
		t.Errorf("events %+v", list)
	}
}
