package machine

import (
	"errors"
	"strings"
	"testing"

	"vmctl/internal/recipe"
)

func applied(list ...string) func(recipe.Recipe) (*recipe.Recipe, error) {
	return func(r recipe.Recipe) (*recipe.Recipe, error) { return &r, r.Apply(list) }
}

func TestEditKeepsTheDiskOrRefuses(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	before, err := r.Recipe("demo")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{"env.VERSION=2", "disk=512M", "storage.path=" + t.TempDir()} {
		if _, err := r.Edit(t.Context(), "demo", applied(change, "memory=1G"), nil); !errors.Is(err, ErrGuard) {
			t.Errorf("%s: %v", change, err)
		}
	}
	if now, err := r.Recipe("demo"); err != nil || now.Hash() != before.Hash() {
		t.Errorf("what was refused has changed something: %v", err)
	}
	if changes, err := r.Edit(t.Context(), "demo", applied("memory=1G"), nil); err != nil || len(changes) != 1 {
		t.Errorf("%v, %v", changes, err)
	}
	if again := r.up(t, "demo"); again.Memory != "1G" || again.UID != mc.UID || r.counter(t, "demo") != 2 {
		t.Errorf("%+v, counter %d", again, r.counter(t, "demo"))
	}
}

// TestEditBeforeTheFirstStart also looks that a disk made after it is not taken for one
// of the recipe before.
func TestEditBeforeTheFirstStart(t *testing.T) {
	r := newRig(t)
	if _, err := r.Create(t.Context(), "demo", r.recipe(t, "")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Edit(t.Context(), "demo", applied("env.VERSION=2", "disk=100M"), nil); err != nil {
		t.Fatal(err)
	}
	r.up(t, "demo")
	if mc, err := r.Restart(t.Context(), "demo", StopOptions{}, StartOptions{}, nil); err != nil || mc.Phase != Running || r.counter(t, "demo") != 2 {
		t.Errorf("%v, counter %d", err, r.counter(t, "demo"))
	}
	if _, err := r.Edit(t.Context(), "demo", applied("env.VERSION=1"), nil); !errors.Is(err, ErrGuard) {
		t.Errorf("with a disk: %v", err)
	}
}

func TestGrowNotesTellOfTheRecoveryPartition(t *testing.T) {
	for guest, want := range map[recipe.Guest]string{recipe.Windows: "recovery partition", recipe.MacOS: "diskutil", recipe.Linux: "growpart", recipe.Demo: "partitions stay"} {
		if got := strings.Join(growNotes(guest, true), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: %s", guest, got)
		}
	}
}
