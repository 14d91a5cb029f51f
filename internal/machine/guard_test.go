package machine

import (
	"errors"
	"strings"
	"testing"
)

// TestReinstallKeepsASnapshot: the disk that the image deletes can be had back.
func TestReinstallKeepsASnapshot(t *testing.T) {
	for name, tt := range map[string]struct {
		o    StartOptions
		want int
	}{
		"reinstall":           {StartOptions{Reinstall: true}, 1},
		"without":             {StartOptions{Reinstall: true, NoSnapshot: true}, 0},
		"nothing to be given": {StartOptions{MarkInstalled: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.up(t, "demo")
			r.rt.Reboot()
			if _, err := r.Start(t.Context(), "demo", tt.o, nil); err != nil {
				t.Fatal(err)
			}
			kept, err := r.Snapshots("demo")
			if err != nil || len(kept) != tt.want {
				t.Fatalf("%+v, %v", kept, err)
			}
			if tt.want == 0 {
				return
			}
			if !strings.HasPrefix(kept[0].Tag, "before-reinstall-") || kept[0].Note == "" {
				t.Errorf("%+v does not say why", kept[0])
			}
			if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := r.RestoreSnapshot(t.Context(), "demo", kept[0].Tag, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); !errors.Is(err, ErrGuard) {
				t.Errorf("the disk of before is not asked for again: %v", err)
			}
			if _, err := r.Start(t.Context(), "demo", StartOptions{MarkInstalled: true}, nil); err != nil || r.counter(t, "demo") != 2 {
				t.Errorf("%v, counter %d, want 2", err, r.counter(t, "demo"))
			}
		})
	}
}
