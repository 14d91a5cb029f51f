package machine

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

// monitored answers as QEMU's monitor does, and remembers whether the guest is paused.
func (r *rig) monitored() *atomic.Bool {
	paused := &atomic.Bool{}
	r.rt.OnExec(containerName, func(c critest.ExecCall) critest.ExecResult {
		line := c.Cmd[len(c.Cmd)-1]
		answer := ""
		switch line {
		case "stop":
			paused.Store(true)
		case "cont":
			paused.Store(false)
		case "info status":
			answer = "VM status: " + map[bool]string{true: "paused", false: "running"}[paused.Load()] + "\r\n"
		default:
			answer = "unknown command: '" + line + "'\r\n"
		}
		echo := line[:1] + "\x1b[K\x1b[D" + line
		return critest.ExecResult{ExecResult: cri.ExecResult{
			Stdout: []byte("QEMU 10.0.2 monitor - type 'help' for more information\r\n(qemu) " + echo + "\x1b[K\r\n" + answer + "(qemu) ")}}
	})
	return paused
}

func TestPauseAndResume(t *testing.T) {
	r := newRig(t)
	if err := r.Pause(t.Context(), "demo", nil); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	r.up(t, "demo")
	paused := r.monitored()
	if answer, err := r.Monitor(t.Context(), "demo", "info status"); err != nil || answer != "VM status: running" {
		t.Errorf("%q, %v", answer, err)
	}
	if answer, err := r.Monitor(t.Context(), "demo", "nonsense"); err != nil || answer != "unknown command: 'nonsense'" {
		t.Errorf("%q, %v", answer, err)
	}
	if _, err := r.Monitor(t.Context(), "demo", "a\nb"); err == nil {
		t.Error("two lines")
	}
	if err := r.Pause(t.Context(), "demo", nil); err != nil || !paused.Load() {
		t.Errorf("%v, paused %v", err, paused.Load())
	}
	if mc, err := r.Show(t.Context(), "demo"); err != nil || !mc.Paused || mc.Phase != Running {
		t.Errorf("%+v, %v", mc, err)
	}
	if err := r.Resume(t.Context(), "demo", nil); err != nil || paused.Load() {
		t.Errorf("%v, paused %v", err, paused.Load())
	}
	if err := r.Pause(t.Context(), "demo", nil); err != nil {
		t.Error(err)
	}
	if mc := r.up(t, "demo"); paused.Load() || mc.Paused {
		t.Error("a start leaves it paused")
	}
}

// TestStopOfAPausedGuest: it would not hear that it is to shut down.
func TestStopOfAPausedGuest(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	paused := r.monitored()
	if err := r.Pause(t.Context(), "demo", nil); err != nil {
		t.Fatal(err)
	}
	r.down(t, "demo")
	if paused.Load() {
		t.Error("it was stopped while it was paused")
	}
	if err := r.Pause(t.Context(), "demo", nil); !errors.Is(err, ErrPhase) {
		t.Errorf("a stopped one: %v", err)
	}
	if mc := r.up(t, "demo"); mc.Paused || r.counter(t, "demo") != 2 {
		t.Errorf("paused %v, counter %d", mc.Paused, r.counter(t, "demo"))
	}
}

// TestPauseThatQEMUDoesNotHear says so, and the stop that follows goes on all the same.
func TestPauseThatQEMUDoesNotHear(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	r.rt.OnExec(containerName, func(critest.ExecCall) critest.ExecResult {
		return critest.ExecResult{ExecResult: cri.ExecResult{ExitCode: 1}}
	})
	if err := r.Pause(t.Context(), "demo", nil); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Error(err)
	}
	r.down(t, "demo")
	r.up(t, "demo")
	if r.counter(t, "demo") != 2 {
		t.Errorf("counter %d", r.counter(t, "demo"))
	}
}
