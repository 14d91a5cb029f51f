package machine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"vmctl/internal/storage"
)

func TestCloneIsAnotherMachine(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	r.down(t, "demo")
	other, err := r.Clone(t.Context(), "demo", "twin", nil)
	if err != nil {
		t.Fatal(err)
	}
	if other.UID == mc.UID || hostname(other.Name, other.UID) == hostname(mc.Name, mc.UID) || !other.Installed {
		t.Errorf("%+v", other)
	}
	if got := r.up(t, "twin"); got.UID != other.UID || r.counter(t, "twin") != 2 || r.counter(t, "demo") != 1 {
		t.Errorf("counters %d and %d", r.counter(t, "twin"), r.counter(t, "demo"))
	}
}

func TestCloneThatIsInterruptedLeavesNothing(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	r.down(t, "demo")
	if err := os.WriteFile(filepath.Join(mc.Storage, "boot.iso"), make([]byte, 32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := r.Clone(ctx, "demo", "twin", func(p Progress) {
		if p.Stage == StageCopy {
			cancel()
		}
	})
	if err == nil { // the file system shares blocks: it was over in a moment
		return
	}
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left, _ := filepath.Glob(r.Store.Root() + "/*twin*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if left, _ := filepath.Glob(r.Store.Root() + "/.creating*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestCloneLosesItsIdentity has the files of all images, also one folder down.
func TestCloneLosesItsIdentity(t *testing.T) {
	store := storage.NewStore(t.TempDir())
	m := &Manager{Store: store}
	rec := parse(t, "guest = \"macos\"\nenv.VERSION = \"15\"\n")
	if _, err := m.Create(t.Context(), "mac", rec); err != nil {
		t.Fatal(err)
	}
	dir, err := store.Open("mac")
	if err != nil {
		t.Fatal(err)
	}
	gone, stay := []string{"15/macos.id", "15/macos.sn", "15/macos.mlb", "15/macos.mac", "qemu.mac"}, []string{"15/macos.rom", "15/data.img", "backups/a/windows.mac"}
	for _, name := range append(gone, stay...) {
		path := filepath.Join(dir.StoragePath(), name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := dir.RemoveFiles(rec.Contract().OwnFiles); err != nil {
		t.Fatal(err)
	}
	for _, name := range gone {
		if _, err := os.Stat(filepath.Join(dir.StoragePath(), name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	for _, name := range stay {
		if _, err := os.Stat(filepath.Join(dir.StoragePath(), name)); err != nil {
			t.Error(err)
		}
	}
}
