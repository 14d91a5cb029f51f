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
	"testing"
	"time"
)

// faultStage is a moment in the work of a command.
type faultStage struct {
	name    string
	args    []string
	running bool   // the machine runs before it
	call    string // it is held at this call to the runtime
	answer  bool   // after the runtime did it
	file    string // or: when there is this file below the machines
}

func faultStages() []faultStage {
	up, stop, restart := []string{"start", "demo"}, []string{"stop", "demo"}, []string{"restart", "demo"}
	return []faultStage{
		{name: "up: sandbox", args: up, call: "RunPodSandbox"},
		{name: "up: sandbox made", args: up, call: "RunPodSandbox", answer: true},
		{name: "up: container made", args: up, call: "CreateContainer", answer: true},
		{name: "up: started", args: up, call: "StartContainer", answer: true},
		{name: "stop: asked", args: stop, running: true, call: "StopContainer"},
		{name: "stop: container", args: stop, running: true, call: "StopContainer", answer: true},
		{name: "stop: sandbox", args: stop, running: true, call: "StopPodSandbox", answer: true},
		{name: "stop: removed", args: stop, running: true, call: "RemovePodSandbox", answer: true},
		{name: "restart: stopped", args: restart, running: true, call: "StopPodSandbox"},
		{name: "restart: starting", args: restart, running: true, call: "StartContainer"},
		{name: "snapshot", args: []string{"snapshot", "create", "demo", "again"}, file: "demo/snapshots/.making-*"},
		{name: "restore: copying", args: []string{"snapshot", "restore", "demo", "first"}, file: "demo/snapshots/.restoring-*"},
		{name: "restore: moving", args: []string{"snapshot", "restore", "demo", "first"}, file: "demo/restore.json"},
		{name: "clone", args: []string{"clone", "demo", "twin"}, file: ".creating-twin*"},
		{name: "pack", args: []string{"pack", "demo", "HOME/new.vm"}, file: "../../../new.vm.partial"},
		{name: "unpack", args: []string{"unpack", "HOME/demo.vm", "twin"}, file: ".creating-twin*"},
	}
}

// fault is what happens then. The command may have ended before, and ends by itself.
type fault struct {
	name string
	only []string // stages; none is all
	does func(r *faultRig, cmd *exec.Cmd)
}

func faults() []fault {
	return []fault{
		{"vmctl killed", nil, func(_ *faultRig, cmd *exec.Cmd) { _ = cmd.Process.Kill() }},
		{"QEMU killed", []string{"up: started", "stop: asked"}, func(r *faultRig, _ *exec.Cmd) {
			within(r.t, 30*time.Second, "QEMU", func() error {
				if len(r.guests()) == 0 {
					return os.ErrNotExist
				}
				return nil
			})
			r.killAll(r.guests())
		}},
		{"shim killed", []string{"up: sandbox made", "up: container made", "up: started", "stop: asked", "stop: container", "restart: stopped", "restart: starting"},
			func(r *faultRig, _ *exec.Cmd) { r.killAll(r.processes("containerd-shim", false)) }},
		{"daemon killed", nil, func(r *faultRig, _ *exec.Cmd) {
			r.killAll(slices.DeleteFunc(r.processes("containerd", false), func(pid int) bool {
				return slices.Contains(r.processes("containerd-shim", true), pid)
			}))
			r.gate.Open()
			r.startRuntime()
		}},
		{"host rebooted", nil, func(r *faultRig, cmd *exec.Cmd) {
			_ = cmd.Process.Kill()
			r.reboot()
		}},
		{"storage full", nil, nil},
	}
}

// inBrief are the cells that CI tries, which has no hour: each fault at the stages where
// most is under way. VMCTL_FAULTS=all tries all.
func inBrief(fault, stage string) bool {
	if os.Getenv("VMCTL_FAULTS") == "all" {
		return true
	}
	switch fault {
	case "daemon killed", "host rebooted":
		return slices.Contains([]string{"up: sandbox made", "up: started", "stop: asked", "stop: sandbox", "restart: starting", "restore: moving"}, stage)
	case "storage full":
		return slices.Contains([]string{"up: sandbox", "stop: asked", "snapshot", "restore: copying", "clone", "pack", "unpack"}, stage)
	}
	return true
}

// TestFaultsReal strikes at a machine with a real guest, whose image deletes a disk that was not
// shut down, at each stage of what is done with it.
func TestFaultsReal(t *testing.T) {
	for _, half := range []struct {
		containerd string
		faults     []string
	}{
		{"containerd-1", []string{"vmctl killed", "storage full"}},
		{"containerd-2", []string{"QEMU killed", "shim killed", "daemon killed", "host rebooted"}},
	} {
		t.Run(half.containerd, func(t *testing.T) {
			t.Parallel()
			r := newFaultRig(t, half.containerd)
			r.run("stop", "demo")
			r.run("snapshot", "create", "demo", "first")
			r.kept = r.last
			r.run("pack", "demo", r.home+"/demo.vm")
			for _, f := range faults() {
				for _, s := range faultStages() {
					wanted := len(f.only) == 0 || slices.Contains(f.only, s.name)
					if slices.Contains(half.faults, f.name) && wanted && inBrief(f.name, s.name) {
						r.strike(f, s)
					}
				}
			}
			r.stopped()
			r.table()
		})
	}
}

// strike brings the machine to the stage, lets the fault happen, and judges.
func (r *faultRig) strike(f fault, s faultStage) {
	r.t.Helper()
	begin := time.Now()
	if s.running {
		r.run("start", "demo")
		r.last = r.counter("demo")
	} else {
		r.stopped()
	}
	args := slices.Clone(s.args)
	for i := range args {
		args[i] = strings.Replace(args[i], "HOME", r.home, 1)
	}
	cmd := exec.Command(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), args...)
	var said bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = r.env, &said, &said
	free := func() {}
	if f.does == nil {
		free = r.fill()
	}
	reached := r.reach(s)
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	reached(ended)
	hit := true
	select {
	case <-ended:
		hit = f.does == nil
	default:
	}
	if f.does != nil {
		f.does(r, cmd)
	}
	r.gate.Open()
	select {
	case <-ended:
	case <-time.After(3 * time.Minute):
		_ = cmd.Process.Kill()
		r.t.Errorf("%s, %s: the command does not end:\n%s", f.name, s.name, said.String())
	}
	if _, stderr, code := r.try("ls"); code != 0 {
		r.t.Errorf("%s, %s: ls: %d, %s", f.name, s.name, code, stderr)
	}
	free()
	r.t.Logf("%s, %s: %v\n%s", f.name, s.name, cmd.ProcessState, said.String())
	r.judge(f, s, hit, begin)
}

// reach arranges to stop at the stage, and returns what waits for it.
func (r *faultRig) reach(s faultStage) func(ended <-chan struct{}) {
	if s.file != "" {
		return untilFile(filepath.Join(filepath.Dir(r.machine), s.file), 0)
	}
	held := r.gate.Hold(s.call, s.answer)
	return func(ended <-chan struct{}) {
		select {
		case <-held.Reached():
		case <-ended:
		}
	}
}

// stopped brings the machine to its end, and looks that nothing is left of it.
func (r *faultRig) stopped() []string {
	r.t.Helper()
	r.run("stop", "demo")
	return r.left(0)
}

// judge goes on as a user would: the machine is shown as it is, starts, has its disk, stops, and
// leaves nothing.
func (r *faultRig) judge(f fault, s faultStage, hit bool, begin time.Time) {
	r.t.Helper()
	what := f.name + ", " + s.name
	row := faultRow{fault: f.name, stage: s.name, hit: hit}
	running := r.runs()
	if phase := r.show("demo").Phase; running != slices.Contains([]string{"Starting", "Installing", "Running", "Stopping"}, phase) {
		r.t.Errorf("%s: shown as %s, and a container runs: %t", what, phase, running)
	}
	if out, stderr, code := r.try("start", "demo"); code != 0 {
		r.t.Errorf("%s: start: %d, %s%s", what, code, out, stderr)
		r.run("stop", "--force", "--yes", "demo")
		r.run("start", "demo")
	}
	row.counter = r.counter("demo")
	r.sweep(s)
	back := strings.HasPrefix(s.name, "restore") && row.counter == r.kept+1
	if row.counter < r.last && !back {
		row.lost = 1
	}
	left := r.left(1)
	if _, err := os.Stat(filepath.Dir(r.machine) + "/twin"); err == nil {
		r.run("delete", "--storage", "--yes", "twin")
	}
	_ = os.Remove(r.home + "/new.vm")
	if _, err := os.Stat(r.machine + "/snapshots/again"); err == nil {
		r.run("snapshot", "delete", "--yes", "demo", "again")
	}
	left = append(left, r.stopped()...)
	row.left, row.took = len(left), time.Since(begin)
	if row.lost > 0 || len(left) > 0 || !hit {
		r.t.Errorf("%s: hit %t, counter %d, before it %d; left: %v", what, hit, row.counter, r.last, left)
	}
	r.rows, r.last = append(r.rows, row), row.counter
}

// sweep gives the command that was struck its next turn, which takes away what the last one left.
func (r *faultRig) sweep(s faultStage) {
	r.t.Helper()
	switch s.args[0] {
	case "clone", "unpack":
		r.run("create", "demo", "--name", "sweeper")
		r.run("delete", "--storage", "--yes", "sweeper")
	case "pack": // the machine must be stopped for it
		r.run("stop", "demo")
		_ = os.Remove(r.home + "/new.vm")
		r.run("pack", "demo", r.home+"/new.vm")
		r.run("start", "demo")
	}
}

// table prints what was tried.
func (r *faultRig) table() {
	var text strings.Builder
	fmt.Fprintf(&text, "%-15s %-20s %5s %8s %5s %5s %6s\n", "fault", "stage", "tried", "counter", "lost", "left", "s")
	lost, left := 0, 0
	for _, row := range r.rows {
		fmt.Fprintf(&text, "%-15s %-20s %5d %8d %5d %5d %6.1f\n", row.fault, row.stage, 1, row.counter, row.lost, row.left, row.took.Seconds())
		lost, left = lost+row.lost, left+row.left
	}
	fmt.Fprintf(&text, "%-15s %-20s %5d %8s %5d %5d", "all", "", len(r.rows), "", lost, left)
	r.t.Logf("\n%s", text.String())
}
