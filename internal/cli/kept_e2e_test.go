//go:build e2e

package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// TestE2EKept changes, keeps, brings back, copies and moves a machine with a real guest,
// whose counter is the witness, and whose QEMU's lock keeps others off its disk. Then vmctl
// is killed at the stages of its work.
func TestE2EKept(t *testing.T) {
	runtimes := realRuntimes(t)
	u := newUser(t, runtimes["containerd-2"])
	for _, name := range []string{"demo", "twin"} {
		u.deleteAtEnd(name)
	}
	u.run("up", "demo")
	m := u.show("demo")
	if _, stderr, code := u.try("snapshot", "create", "demo", "early"); code != exitPhase {
		t.Errorf("a snapshot of a running machine: %d, %s", code, stderr)
	}
	// The same disk on the other runtime, which knows nothing of this one's machines.
	thief := newUser(t, runtimes["containerd-1"])
	thief.deleteAtEnd("thief")
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
	u.run("pause", "demo")
	if status := u.run("monitor", "demo", "info", "status"); !strings.Contains(status, "paused") || !u.show("demo").Paused {
		t.Errorf("a paused machine says %q", status)
	}
	u.run("stop", "demo")
	if log := u.run("logs", "demo"); !strings.Contains(log, "Shutdown completed!") || strings.Contains(log, "SIGTERM...") {
		t.Errorf("a paused guest was not shut down by itself:\n%s", log)
	}
	file := filepath.Join(u.home, "demo.vm")
	u.run("pack", "demo", file)
	testPacked(t, file, filepath.Join(m.Storage, "data.img"))
	t.Run("both", func(t *testing.T) {
		t.Run("kept", func(t *testing.T) {
			t.Parallel()
			testSnapshot(t, u.in(t))
		})
		t.Run("moved", func(t *testing.T) {
			t.Parallel()
			moved := thief.in(t)
			moved.deleteAtEnd("moved")
			moved.run("unpack", file, "moved")
			moved.run("up", "moved")
			if n := moved.counter("moved"); n != 3 {
				t.Errorf("counter = %d after a move to another runtime at 2, want 3", n)
			}
			testKill(t, moved, "moved", runtimes["containerd-1"])
		})
	})
	testNothingLeft(t, runtimes["containerd-2"])
}

// in is the same user in another test.
func (u *user) in(t *testing.T) *user { return &user{t, u.home, u.env, u.as} }

// testSnapshot brings a stopped machine back from counter 3 to 2, and clones it there.
func testSnapshot(t *testing.T, u *user) {
	t.Helper()
	begin := time.Now()
	t.Logf("%s in %s", strings.TrimSpace(u.run("snapshot", "create", "demo", "two")), time.Since(begin).Round(time.Millisecond))
	u.run("up", "demo")
	u.run("stop", "demo")
	u.run("snapshot", "restore", "demo", "two")
	u.run("clone", "demo", "twin")
	u.run("start", "--wait", "running", "demo", "twin")
	if a, b := u.counter("demo"), u.counter("twin"); a != 3 || b != 3 {
		t.Errorf("counters %d and %d after restore and clone at 2, want 3 and 3", a, b)
	}
	u.run("stop", "--all")
}

// testPacked has GNU tar read the file.
func testPacked(t *testing.T, file, disk string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	to := t.TempDir()
	tar := exec.Command("tar", "-xSf", "-", "-C", to)
	tar.Stdin = z
	if out, err := tar.CombinedOutput(); err != nil {
		t.Errorf("tar: %v: %s", err, out)
	}
	if out, err := exec.Command("cmp", disk, to+"/storage/data.img").CombinedOutput(); err != nil {
		t.Errorf("cmp: %v: %s", err, out)
	}
	if info, err := f.Stat(); err == nil {
		t.Logf("packed into %d bytes", info.Size())
	}
}

// killRow is a command that is killed, and what the guest's counter may be at its next boot
// when it was last.
type killRow struct {
	what    string
	args    []string
	trigger func(*exec.Cmd) func(<-chan struct{})
	may     func(last int) []int
}

func killRows(name, machine string, snapshot int) []killRow {
	next := func(n int) []int { return []int{n + 1} }
	maybeUp := func(n int) []int { return []int{n + 1, n + 2} }
	return []killRow{
		{"stop, stopping", []string{"stop", name}, untilLine("vmctl: stopping"), next},
		{"snapshot, copying", []string{"snapshot", "create", name, "two"}, onFile(machine + "/snapshots/.making-*"), next},
		{"restore, copying", []string{"snapshot", "restore", name, "one"}, onFile(machine + "/snapshots/.restoring-*"),
			func(n int) []int { return []int{n + 1, snapshot + 1} }},
		{"up, creating", []string{"start", name}, untilLine("vmctl: creating"), maybeUp},
		{"up, starting", []string{"start", name}, untilLine("vmctl: starting"), maybeUp},
	}
}

// testKill kills vmctl at the stages of its work on a machine that is up, with an image that
// deletes a disk that was not shut down.
func testKill(t *testing.T, u *user, name, endpoint string) {
	t.Helper()
	machine, last := u.show(name).Directory, u.counter(name)
	var rows []string
	for i, row := range killRows(name, machine, last+1) {
		if i == 1 {
			u.run("snapshot", "create", name, "one")
		}
		cmd := exec.Command(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), row.args...)
		cmd.Env = u.env
		inTime := killWhen(t, cmd, row.trigger(cmd))
		u.run("stop", name)
		u.run("start", name)
		now, lost := u.counter(name), 1
		if slices.Contains(row.may(last), now) {
			lost = 0
		} else {
			t.Errorf("%s: counter %d after %d", row.what, now, last)
		}
		u.run("stop", name)
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
