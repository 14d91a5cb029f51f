package machine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/grpc/codes"
)

// upEphemeral starts the demo on a copy of its disks, and makes it where there is none.
func (r *rig) upEphemeral(t *testing.T) Machine {
	t.Helper()
	mc, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{Ephemeral: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !mc.Ephemeral {
		t.Error("it does not tell that it is ephemeral")
	}
	return mc
}

func (r *rig) noCopy(t *testing.T, when string) {
	t.Helper()
	if _, err := os.Lstat(filepath.Join(r.Store.Root(), "demo", "ephemeral")); !os.IsNotExist(err) {
		t.Errorf("%s: the copy is left: %v", when, err)
	}
}

func TestEphemeral(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	r.down(t, "demo")
	mc := r.upEphemeral(t)
	if used := r.rt.Containers()[0].Config.Mounts[0].HostPath; used != mc.Storage || filepath.Base(filepath.Dir(used)) != "ephemeral" {
		t.Errorf("it runs on %s", used)
	}
	for verb, do := range map[string]func() error{
		"snapshot": func() error { _, err := r.Snapshot(t.Context(), "demo", "a", nil); return err },
		"clone":    func() error { _, err := r.Clone(t.Context(), "demo", "twin", nil); return err },
		"restart":  func() error { _, err := r.Restart(t.Context(), "demo", StopOptions{}, StartOptions{}, nil); return err },
		"upgrade":  func() error { _, err := r.Upgrade(t.Context(), "demo", false, StartOptions{}, nil); return err },
	} {
		if err := do(); !errors.Is(err, ErrPhase) {
			t.Errorf("%s of an ephemeral run: %v", verb, err)
		}
	}
	r.upEphemeral(t) // runs already
	r.down(t, "demo")
	r.noCopy(t, "stop")
	if n := r.counter(t, "demo"); n != 1 {
		t.Errorf("counter = %d after an ephemeral run, want 1", n)
	}
	r.up(t, "demo")
	if _, err := r.Up(t.Context(), "demo", nil, StartOptions{Ephemeral: true}, nil); !errors.Is(err, ErrPhase) || r.counter(t, "demo") != 2 {
		t.Errorf("ephemeral while it runs on its own disks: %v", err)
	}
}

// TestEphemeralEnds: whatever ends such a run, its copy goes with the next command and the
// machine's own disk stays.
func TestEphemeralEnds(t *testing.T) {
	next := map[string]func(*testing.T, *rig){
		"ls":        func(t *testing.T, r *rig) { _, err := r.List(t.Context()); must(t, err) },
		"stop":      func(t *testing.T, r *rig) { r.down(t, "demo") },
		"snapshot":  func(t *testing.T, r *rig) { _, err := r.Snapshot(t.Context(), "demo", "a", nil); must(t, err) },
		"up":        func(t *testing.T, r *rig) { r.up(t, "demo"); r.down(t, "demo") },
		"ephemeral": func(t *testing.T, r *rig) { r.upEphemeral(t); r.down(t, "demo") },
		"delete":    func(t *testing.T, r *rig) { must(t, r.Delete(t.Context(), "demo", DeleteOptions{}, nil)) },
	}
	for what, do := range next {
		t.Run(what, func(t *testing.T) {
			r := newRig(t)
			r.up(t, "demo")
			r.down(t, "demo")
			r.upEphemeral(t)
			r.rt.Reboot()
			if what == "ls" { // the runtime has forgotten the pod, too
				for _, s := range r.rt.Sandboxes() {
					must(t, r.removeSandbox(t.Context(), s.ID))
				}
			}
			do(t, r)
			r.noCopy(t, what)
			want := 1
			if what == "up" {
				want = 2
			}
			if n := r.counter(t, "demo"); n != want {
				t.Errorf("counter = %d, want %d", n, want)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// TestEphemeralMachine: one that did not exist before goes with its run, however it began.
func TestEphemeralMachine(t *testing.T) {
	r := newRig(t)
	r.upEphemeral(t)
	r.down(t, "demo")
	r.empty(t)
	r.nothing(t)

	r.rt.At("StartContainer", 1).Fail(codes.Internal, "no")
	if _, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{Ephemeral: true}, nil); err == nil {
		t.Error("it started")
	}
	r.rt.Heal()
	r.empty(t)
	r.nothing(t)

	r.upEphemeral(t)
	r.rt.Reboot()
	r.up(t, "demo") // wanted for good now
	r.down(t, "demo")
	if n := r.counter(t, "demo"); n != 1 {
		t.Errorf("counter = %d, want 1", n)
	}
}
