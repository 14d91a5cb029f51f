package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/machine/machinetest"
)

// killRig is a user on a fake runtime whose commands are killed (SIGKILL) half-way.
type killRig struct {
	t        *testing.T
	rt       *critest.Server
	vmctl    string
	env      []string
	work     string
	machines string
	rows     []string
}

func newKillRig(t *testing.T) *killRig {
	t.Helper()
	rt := critest.NewServer(t)
	machinetest.Run(rt)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	r := &killRig{t: t, rt: rt, vmctl: work + "/vmctl", work: work, machines: work + "/data/vmctl/machines",
		env: append(os.Environ(), "HOME="+work, "XDG_DATA_HOME="+work+"/data", "XDG_CONFIG_HOME="+work+"/config", "VMCTL_RUNTIME_ENDPOINT="+rt.Endpoint(),
			"GORACE=atexit_sleep_ms=0")} // or the race detector waits a second at each end
	// The test binary is vmctl under that name: see TestMain.
	if err := errors.Join(os.Symlink(self, r.vmctl), os.WriteFile(work+"/demo.toml", []byte(machinetest.Recipe), 0o600)); err != nil {
		t.Fatal(err)
	}
	r.run("up", work+"/demo.toml")
	r.run("stop", "demo")
	// Something that takes a while to copy.
	if err := os.WriteFile(r.machines+"/demo/storage/boot.iso", bytes.Repeat([]byte("iso"), 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *killRig) command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.vmctl, args...)
	cmd.Env, cmd.Dir = r.env, r.work
	return cmd
}

func (r *killRig) run(args ...string) {
	r.t.Helper()
	if out, err := r.command(args...).CombinedOutput(); err != nil {
		r.t.Fatalf("vmctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// kill runs vmctl and kills it once trigger returns; it tells whether that was in time.
func (r *killRig) kill(trigger func(ended <-chan struct{}), args ...string) (inTime bool) {
	r.t.Helper()
	return killWhen(r.t, r.command(args...), trigger)
}

// killWhen starts a command and kills it once trigger returns.
func killWhen(t *testing.T, cmd *exec.Cmd, trigger func(ended <-chan struct{})) (inTime bool) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	trigger(ended)
	_ = cmd.Process.Kill()
	<-ended
	return cmd.ProcessState.ExitCode() == -1 // ended by a signal
}

// atCall waits until the nth call of a method hangs. It is not done.
func (r *killRig) atCall(method string) func(<-chan struct{}) {
	stalled := r.rt.At(method, 1).Stall()
	return func(ended <-chan struct{}) {
		select {
		case <-stalled.Reached():
		case <-ended:
		}
	}
}

// afterFile waits until there is a file below the machines, and then a little more.
func (r *killRig) afterFile(pattern string, more time.Duration) func(<-chan struct{}) {
	return untilFile(filepath.Join(r.machines, pattern), more)
}

func untilFile(pattern string, more time.Duration) func(<-chan struct{}) {
	return func(ended <-chan struct{}) {
		for {
			if found, _ := filepath.Glob(pattern); len(found) > 0 {
				break
			}
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Microsecond):
			}
		}
		select {
		case <-ended:
		case <-time.After(more):
		}
	}
}

func (r *killRig) counter() int {
	r.t.Helper()
	n, err := machinetest.Counter(r.machines + "/demo/storage")
	if err != nil {
		r.t.Fatalf("the disk: %v", err)
	}
	return n
}

// judge goes on after a kill as a user would, and looks at the disk and at what is left. The
// counter must be one more than one of the given.
func (r *killRig) judge(what string, inTime bool, may ...int) {
	r.t.Helper()
	r.rt.Heal()
	r.run("ls")
	r.run("up", "demo")
	r.run("stop", "demo")
	r.run("create", r.work+"/demo.toml", "--name", "sweeper") // sweeps what a maker left
	r.run("delete", "--storage", "--yes", "sweeper")
	now, lost := r.counter(), 1
	for _, n := range may {
		if now == n+1 {
			lost = 0
		}
	}
	var left []string
	for _, pattern := range []string{".creating*", "demo/snapshots/.*", "demo/restore.json", "demo/.writing*"} {
		found, _ := filepath.Glob(filepath.Join(r.machines, pattern))
		left = append(left, found...)
	}
	if n := len(r.rt.Sandboxes()); n > 0 {
		left = append(left, fmt.Sprintf("%d sandboxes", n))
	}
	if lost > 0 || len(left) > 0 {
		r.t.Errorf("%s: counter %d, want one more than one of %v; left: %v", what, now, may, left)
	}
	r.rows = append(r.rows, fmt.Sprintf("%-36s %-8t %7d %5d %5d", what, inTime, now, lost, len(left)))
}

// table prints what was tried: go test -v -run Kill ./internal/cli
func (r *killRig) table() {
	r.t.Logf("\n%-36s %-8s %7s %5s %5s\n%s", "kill -9", "in time", "counter", "lost", "left", strings.Join(r.rows, "\n"))
}

func TestKillUpAndStop(t *testing.T) {
	t.Parallel()
	r := newKillRig(t)
	for _, method := range []string{"ListPodSandbox", "ImageStatus", "RunPodSandbox", "CreateContainer", "StartContainer", "ContainerStatus"} {
		n := r.counter()
		inTime := r.kill(r.atCall(method), "up", "demo")
		if !inTime {
			t.Errorf("up did not come to %s", method)
		}
		r.judge("up, at "+method, inTime, n, n+1) // the guest may have been up already
	}
	for _, method := range []string{"StopContainer", "StopPodSandbox", "RemovePodSandbox"} {
		n := r.counter()
		r.run("up", "demo")
		inTime := r.kill(r.atCall(method), "stop", "demo")
		if !inTime {
			t.Errorf("stop did not come to %s", method)
		}
		r.judge("stop, at "+method, inTime, n+1)
	}
	r.table()
}

// delays are how long after its first trace a command that copies is killed.
func delays() []time.Duration {
	return []time.Duration{0, time.Millisecond, 4 * time.Millisecond, 16 * time.Millisecond, 40 * time.Millisecond}
}

func TestKillSnapshotAndRestore(t *testing.T) {
	t.Parallel()
	r := newKillRig(t)
	r.run("snapshot", "create", "demo", "first")
	then := r.counter()
	for i, more := range delays() {
		n := r.counter()
		inTime := r.kill(r.afterFile("demo/snapshots/.making-*", more), "snapshot", "create", "demo", fmt.Sprintf("s%d", i))
		r.judge(fmt.Sprintf("snapshot, %s after its begin", more), inTime, n)
	}
	for _, more := range delays() {
		n := r.counter()
		inTime := r.kill(r.afterFile("demo/snapshots/.restoring-*", more), "snapshot", "restore", "demo", "first")
		r.judge(fmt.Sprintf("restore, %s after its begin", more), inTime, n, then)
	}
	for range 3 {
		n := r.counter()
		inTime := r.kill(r.afterFile("demo/restore.json", 0), "snapshot", "restore", "demo", "first")
		r.judge("restore, among its moves", inTime, n, then)
	}
	r.table()
}

func TestKillUpgradeAndRollback(t *testing.T) {
	t.Parallel()
	r := newKillRig(t)
	const image = "127.0.0.1:5000/vm:1"
	r.rt.Publish(cri.Auth{}, image)
	r.run("set", "demo", "image="+image)
	r.run("up", "demo")
	r.run("stop", "demo")
	kill := func(what string, trigger func() func(<-chan struct{}), then int, args ...string) {
		r.run("up", "demo")
		n := r.counter()
		inTime := r.kill(trigger(), args...)
		r.judge(args[0]+", "+what, inTime, n-1, n, n+1, then) // it may run still, or again
	}
	at := func(method string) func() func(<-chan struct{}) {
		return func() func(<-chan struct{}) { return r.atCall(method) }
	}
	copying := func(pattern string) func() func(<-chan struct{}) {
		return func() func(<-chan struct{}) { return r.afterFile("demo/snapshots/"+pattern, time.Millisecond) }
	}
	for i, method := range []string{"PullImage", "StopContainer", "RemovePodSandbox", "RunPodSandbox", "StartContainer"} {
		r.rt.Publish(cri.Auth{}, fmt.Sprint("127.0.0.1:5000/vm:", i+2), image)
		kill("at "+method, at(method), 0, "upgrade", "demo")
	}
	r.rt.Publish(cri.Auth{}, "127.0.0.1:5000/vm:next", image)
	kill("1ms after its copy's begin", copying(".making-*"), 0, "upgrade", "demo")
	r.rt.Publish(cri.Auth{}, "127.0.0.1:5000/vm:last", image)
	then := r.counter()
	r.run("upgrade", "demo")
	kill("at StopContainer", at("StopContainer"), then, "rollback", "--yes", "demo")
	kill("1ms after its copy's begin", copying(".restoring-*"), then, "rollback", "--yes", "demo")
	r.table()
}

func TestKillCloneAndPack(t *testing.T) {
	t.Parallel()
	r := newKillRig(t)
	for i, more := range delays() {
		n, twin := r.counter(), fmt.Sprintf("twin%d", i)
		inTime := r.kill(r.afterFile(".creating-twin*", more), "clone", "demo", twin)
		r.judge(fmt.Sprintf("clone, %s after its begin", more), inTime, n)
		if _, err := os.Stat(r.machines + "/" + twin); err == nil == inTime {
			r.run("up", twin) // the kill came after the clone was made
			r.run("delete", "--force", "--storage", "--yes", twin)
		}
	}
	n := r.counter()
	inTime := r.kill(r.afterFile("../../../demo.vm.partial", 2*time.Millisecond), "pack", "demo", "demo.vm")
	r.judge("pack, 2ms after its begin", inTime, n)
	_ = os.Remove(r.work + "/demo.vm") // if it was too late
	r.run("pack", "demo", "demo.vm")
	if left, _ := filepath.Glob(r.work + "/*.partial"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	for i, more := range delays() {
		n := r.counter()
		inTime := r.kill(r.afterFile(".creating-un*", more), "unpack", "demo.vm", fmt.Sprintf("un%d", i))
		r.judge(fmt.Sprintf("unpack, %s after its begin", more), inTime, n)
	}
	r.table()
}
