package machine

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// down stops a machine and fails the test if that fails.
func (r *rig) down(t *testing.T, name string) {
	t.Helper()
	if err := r.Stop(t.Context(), name, StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestNoCopyOfADiskThatIsInUse(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	verbs := map[string]func() error{
		"snapshot": func() error { _, err := r.Snapshot(t.Context(), "demo", "a", nil); return err },
		"restore":  func() error { _, err := r.RestoreSnapshot(t.Context(), "demo", "first", nil); return err },
	}
	check := func(when string) {
		t.Helper()
		for verb, do := range verbs {
			if err := do(); !errors.Is(err, ErrPhase) {
				t.Errorf("%s %s: %v", verb, when, err)
			}
		}
	}
	check("while it runs")
	r.down(t, "demo")
	if _, err := r.Snapshot(t.Context(), "demo", "first", nil); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(mc.Storage+"/data.img", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_RDLCK, Start: 100, Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
		t.Fatal(err)
	}
	check("while a QEMU that nobody knows has the disk")
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); !errors.Is(err, ErrPhase) || r.counter(t, "demo") != 1 {
		t.Errorf("start: %v", err)
	}
	r.empty(t)
}

// TestRestoreOfWhatTheImageWouldDelete: a snapshot may hold a disk without its marker, and
// the guard knows of it as it did then.
func TestRestoreOfWhatTheImageWouldDelete(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	r.rt.Reboot() // a power cut: installed, and no marker
	if _, err := r.Snapshot(t.Context(), "demo", "cut", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Start(t.Context(), "demo", StartOptions{MarkInstalled: true}, nil); err != nil {
		t.Fatal(err)
	}
	r.down(t, "demo")
	kept, err := r.RestoreSnapshot(t.Context(), "demo", "cut", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); !errors.Is(err, ErrGuard) || r.counter(t, "demo") != 1 {
		t.Errorf("%v, counter %d", err, r.counter(t, "demo"))
	}
	if _, err := r.RestoreSnapshot(t.Context(), "demo", kept, nil); err != nil {
		t.Fatal(err)
	}
	if again := r.up(t, "demo"); again.UID != mc.UID || r.counter(t, "demo") != 3 {
		t.Errorf("undone: counter %d", r.counter(t, "demo"))
	}
}
