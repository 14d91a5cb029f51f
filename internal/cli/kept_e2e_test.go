//go:build e2e

package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestE2EKept changes, keeps, brings back, copies and moves a machine with a real guest,
// whose counter is the witness, and whose QEMU's lock keeps others off its disk.
func TestE2EKept(t *testing.T) {
	runtimes := realRuntimes(t)
	u := newUser(t, runtimes["containerd-2"])
	for _, name := range []string{"demo", "twin", "thief", "moved"} {
		u.deleteAtEnd(name)
	}
	u.run("up", "demo")
	m := u.show("demo")
	if _, stderr, code := u.try("snapshot", "create", "demo", "early"); code != exitPhase {
		t.Errorf("a snapshot of a running machine: %d, %s", code, stderr)
	}
	// The same disk on the other runtime, which knows nothing of this one's machines.
	thief := newUser(t, runtimes["containerd-1"])
	thief.run("create", "demo", "--name", "thief", "--set", "storage.path="+m.Storage)
	if _, stderr, code := thief.try("start", "thief"); code != exitPhase || !strings.Contains(stderr, "is locked: a guest runs on it") {
		t.Errorf("a second guest on one disk: %d, %s", code, stderr)
	}
	if out := u.run("set", "--restart", "demo", "memory=288M"); !strings.Contains(out, "demo is running") {
		t.Errorf("set --restart said %q", out)
	}
	if n := u.counter("demo"); n != 2 {
		t.Errorf("counter = %d after a change and a restart, want 2", n)
	}
	if got := u.run("exec", "demo", "--", "sh", "-c", "tr '\\0' ' ' < /proc/$(cat /run/shm/qemu.pid)/cmdline"); !strings.Contains(got, "288") {
		t.Errorf("QEMU has not the memory: %s", got)
	}
	u.run("stop", "demo")
	begin := time.Now()
	t.Logf("%s in %s", strings.TrimSpace(u.run("snapshot", "create", "demo", "two")), time.Since(begin).Round(time.Millisecond))
	u.run("up", "demo")
	u.run("stop", "demo")
	u.run("snapshot", "restore", "demo", "two")
	u.run("clone", "demo", "twin")
	u.run("up", "demo")
	u.run("up", "twin")
	if a, b := u.counter("demo"), u.counter("twin"); a != 3 || b != 3 {
		t.Errorf("counters %d and %d after restore and clone at 2, want 3 and 3", a, b)
	}
	u.run("stop", "--all")
	file := filepath.Join(u.home, "demo.vm")
	u.run("pack", "twin", file)
	testPacked(t, file, filepath.Join(m.Storage, "../../twin/storage/data.img"))
	thief.deleteAtEnd("moved")
	thief.run("unpack", file, "moved")
	thief.run("up", "moved")
	if n := thief.counter("moved"); n != 4 {
		t.Errorf("counter = %d after a move to another runtime, want 4", n)
	}
	thief.run("stop", "moved")
	testNothingLeft(t, runtimes["containerd-1"])
	testNothingLeft(t, runtimes["containerd-2"])
}

// testPacked has GNU tar and zstd read the file.
func testPacked(t *testing.T, file, disk string) {
	t.Helper()
	to := t.TempDir()
	if out, err := exec.Command("sh", "-c", "zstd -dc '"+file+"' | tar -xSf - -C '"+to+"' && cmp '"+disk+"' '"+to+"/storage/data.img'").CombinedOutput(); err != nil {
		t.Errorf("tar and zstd: %v: %s", err, out)
	}
	info, err := os.Stat(file)
	if err == nil {
		t.Logf("packed into %d bytes", info.Size())
	}
}

// TestE2EKill kills vmctl at the stages of its work on a real runtime, with an image that
// deletes a disk that was not shut down.
func TestE2EKill(t *testing.T) {
	endpoint := realRuntimes(t)["containerd-1"]
	u := newUser(t, endpoint)
	u.deleteAtEnd("demo")
	u.run("up", "demo")
	machine := u.show("demo").Directory
	u.run("stop", "demo")
	u.run("snapshot", "create", "demo", "one")
	rows, last := []string{}, 1
	for _, row := range []struct {
		what    string
		args    []string
		running bool
		trigger func(*exec.Cmd) func(<-chan struct{})
		may     func(last int) []int // what the counter may be after the next boot
	}{
		{"up, creating", []string{"up", "demo"}, false, untilLine("vmctl: creating"), func(n int) []int { return []int{n + 1, n + 2} }},
		{"up, starting", []string{"up", "demo"}, false, untilLine("vmctl: starting"), func(n int) []int { return []int{n + 1, n + 2} }},
		{"stop, stopping", []string{"stop", "demo"}, true, untilLine("vmctl: stopping"), func(n int) []int { return []int{n + 1} }},
		{"snapshot, copying", []string{"snapshot", "create", "demo", "two"}, false, onFile(machine + "/snapshots/.making-*"), func(n int) []int { return []int{n + 1} }},
		{"restore, copying", []string{"snapshot", "restore", "demo", "one"}, false, onFile(machine + "/snapshots/.restoring-*"), func(n int) []int { return []int{n + 1, 2} }},
	} {
		if row.running {
			u.run("up", "demo")
			last = u.counter("demo")
		}
		cmd := exec.Command(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), row.args...)
		cmd.Env = u.env
		inTime := killWhen(t, cmd, row.trigger(cmd))
		u.run("stop", "demo")
		u.run("up", "demo")
		now, lost := u.counter("demo"), 1
		for _, n := range row.may(last) {
			if n == now {
				lost = 0
			}
		}
		if lost > 0 {
			t.Errorf("%s: counter %d after %d", row.what, now, last)
		}
		u.run("stop", "demo")
		testNothingLeft(t, endpoint)
		for _, pattern := range []string{"/snapshots/.*", "/restore.json", "/.writing*"} {
			if left, _ := filepath.Glob(machine + pattern); len(left) > 0 {
				t.Errorf("%s: left %v", row.what, left)
			}
		}
		rows, last = append(rows, fmt.Sprintf("%-24s %-8t %7d %5d", row.what, inTime, now, lost)), now
	}
	t.Logf("\n%-24s %-8s %7s %5s\n%s", "kill -9", "in time", "counter", "lost", strings.Join(rows, "\n"))
}

// untilLine waits until the command has written a text to its standard error.
func untilLine(text string) func(*exec.Cmd) func(<-chan struct{}) {
	return func(cmd *exec.Cmd) func(<-chan struct{}) {
		seen := &seenText{text: text, found: make(chan struct{})}
		cmd.Stderr = seen
		return func(ended <-chan struct{}) {
			select {
			case <-seen.found:
			case <-ended:
			}
		}
	}
}

// seenText closes found when a text has been written to it.
type seenText struct {
	text  string
	all   bytes.Buffer
	once  sync.Once
	found chan struct{}
}

func (s *seenText) Write(b []byte) (int, error) {
	s.all.Write(b)
	if strings.Contains(s.all.String(), s.text) {
		s.once.Do(func() { close(s.found) })
	}
	return len(b), nil
}

func onFile(pattern string) func(*exec.Cmd) func(<-chan struct{}) {
	return func(*exec.Cmd) func(<-chan struct{}) { return untilFile(pattern, 0) }
}
