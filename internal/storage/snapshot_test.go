package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// stateOf is what makes a machine's state, in one line.
func stateOf(t *testing.T, folder string) string {
	t.Helper()
	var out []string
	for _, name := range []string{"storage/data.img", "storage/uefi.vars", "disks/games/data2.img", RecipeFile, StateFile} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		out = append(out, strings.Join(strings.Fields(string(data)), ""))
	}
	return strings.Join(out, " ")
}

// stateful makes a machine whose state says "n" everywhere.
func stateful(t *testing.T) (*Dir, func(n string)) {
	t.Helper()
	store := NewStore(t.TempDir())
	d, err := store.Create("m", func(d *Dir) error { return d.WriteRecipe([]byte("1")) })
	if err != nil {
		t.Fatal(err)
	}
	set := func(n string) {
		t.Helper()
		if err := os.MkdirAll(d.DiskPath("games"), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"storage/data.img", "storage/uefi.vars", "disks/games/data2.img", RecipeFile, StateFile} {
			if err := os.WriteFile(filepath.Join(d.path, name), []byte(n), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	set("1")
	return d, set
}

const ones, twos = "1 1 1 1 1", "2 2 2 2 2"

func snapshotNames(t *testing.T, d *Dir) string {
	t.Helper()
	entries, err := os.ReadDir(d.SnapshotsPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestSnapshotAndRestore(t *testing.T) {
	d, set := stateful(t)
	s, err := d.TakeSnapshot(t.Context(), Snapshot{Tag: "a", CreatedAt: time.Now(), Note: "why"}, nil)
	if err != nil || s.Size == 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	set("2")
	if got := stateOf(t, d.snapshotPath("a")); got != ones {
		t.Errorf("the snapshot is %s", got)
	}
	if err := d.RestoreSnapshot(t.Context(), "a", Snapshot{Tag: "b", CreatedAt: time.Now()}, recipeOf(t, d, "a"), 1, nil); err != nil {
		t.Fatal(err)
	}
	if got := stateOf(t, d.path); got != ones {
		t.Errorf("restored: %s", got)
	}
	if got := stateOf(t, d.snapshotPath("b")); got != twos {
		t.Errorf("kept: %s", got)
	}
	list, err := d.Snapshots()
	if err != nil || len(list) != 2 || list[0].Note != "why" || list[1].Tag != "b" || list[1].Size == 0 || snapshotNames(t, d) != "a b" {
		t.Errorf("%+v, %v: %s", list, err, snapshotNames(t, d))
	}
	if err := errors.Join(d.DeleteSnapshot("a"), d.DeleteSnapshot("b")); err != nil {
		t.Error(err)
	}
	if err := d.Recover(); err != nil || snapshotNames(t, d) != "" {
		t.Errorf("%v, left: %s", err, snapshotNames(t, d))
	}
}

// TestRestoreDiesAnywhere ends a restore after each of its moves, and in the middle of the
// exchanges, as a crash does: what comes next finds all of the old or of the new state.
func TestRestoreDiesAnywhere(t *testing.T) {
	for done := 0; ; done++ {
		d, set := stateful(t)
		if _, err := d.TakeSnapshot(t.Context(), Snapshot{Tag: "a"}, nil); err != nil {
			t.Fatal(err)
		}
		set("2")
		r, err := d.prepareRestore(t.Context(), "a", Snapshot{Tag: "b"}, recipeOf(t, d, "a"), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := stateOf(t, d.path); got != twos {
			t.Fatalf("prepared only: %s", got)
		}
		if err := writeFile(d.restorePath(), fmt.Appendf(nil, `{"from":%q,"keep":%q,"tag":"b"}`, r.From, r.Keep)); err != nil {
			t.Fatal(err)
		}
		steps := d.restoreSteps(r)
		if done > 2*len(steps) {
			return
		}
		for _, step := range steps[:done/2] {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		if folder := done / 2; done%2 == 1 && folder < 2 { // in the middle of an exchange
			name := stateFolders()[folder]
			if err := os.Rename(filepath.Join(d.path, name), filepath.Join(d.snapshotPath(r.Keep), name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Recover(); err != nil {
			t.Fatalf("after %d half steps: %v", done, err)
		}
		if got, kept := stateOf(t, d.path), stateOf(t, d.snapshotPath("b")); got != ones || kept != twos || snapshotNames(t, d) != "a b" {
			t.Errorf("after %d half steps: %s, kept %s, snapshots %s", done, got, kept, snapshotNames(t, d))
		}
		if _, err := os.Stat(d.restorePath()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after %d half steps the journal is left: %v", done, err)
		}
	}
}

func TestRestoreThatDiesBeforeItsMovesIsForgotten(t *testing.T) {
	d, set := stateful(t)
	if _, err := d.TakeSnapshot(t.Context(), Snapshot{Tag: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	set("2")
	if _, err := d.prepareRestore(t.Context(), "a", Snapshot{Tag: "b"}, recipeOf(t, d, "a"), 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := d.Recover(); err != nil || stateOf(t, d.path) != twos || snapshotNames(t, d) != "a" {
		t.Errorf("%v: %s, snapshots %s", err, stateOf(t, d.path), snapshotNames(t, d))
	}
}

func TestSnapshotThatIsInterruptedLeavesNothing(t *testing.T) {
	d, _ := stateful(t)
	if err := os.WriteFile(d.StoragePath()+"/data.img", make([]byte, 3*copyChunk), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := d.TakeSnapshot(ctx, Snapshot{Tag: "a"}, func(done, total int64) {
		if done > 0 {
			cancel()
		}
	})
	if canShare(d.StoragePath()+"/data.img", d.path) {
		return // it was over in a moment
	}
	if !errors.Is(err, context.Canceled) || snapshotNames(t, d) != "" {
		t.Errorf("%v, left: %s", err, snapshotNames(t, d))
	}
}

func TestCopyKeepsHolesModesAndTimes(t *testing.T) {
	d, _ := stateful(t)
	path := d.StoragePath() + "/data.img"
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	const hole = 1 << 30
	for _, at := range []int64{0, hole, 2*hole + 12345} {
		if _, err := f.WriteAt([]byte("data"), at); err != nil {
			t.Fatal(err)
		}
	}
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := errors.Join(f.Truncate(5*hole), f.Close(), os.Chmod(path, 0o640), os.Chtimes(path, when, when)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.TakeSnapshot(t.Context(), Snapshot{Tag: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	copied := d.snapshotPath("a") + "/storage/data.img"
	info, err := os.Stat(copied)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != 5*hole || allocated(info) > 1<<20 || info.Mode().Perm() != 0o640 || !info.ModTime().Equal(when) {
		t.Errorf("size %d, allocated %d, %s, %s", info.Size(), allocated(info), info.Mode(), info.ModTime())
	}
	c, err := os.Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for at, want := range map[int64]string{0: "data", 100: "\x00\x00\x00\x00", hole: "data", 2*hole + 12345: "data"} {
		got := make([]byte, 4)
		if _, err := c.ReadAt(got, at); err != nil || string(got) != want {
			t.Errorf("at %d: %q, %v", at, got, err)
		}
	}
}

func TestSnapshotRefusals(t *testing.T) {
	d, _ := stateful(t)
	if _, err := d.TakeSnapshot(t.Context(), Snapshot{Tag: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.TakeSnapshot(t.Context(), Snapshot{Tag: "a"}, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a tag in use: %v", err)
	}
	for _, tag := range []string{"", "..", "../a", "A", ".a", "a/b", strings.Repeat("a", 65)} {
		if _, err := d.TakeSnapshot(t.Context(), Snapshot{Tag: tag}, nil); !errors.Is(err, ErrInvalidName) {
			t.Errorf("%q: %v", tag, err)
		}
	}
	if err := d.DeleteSnapshot("none"); !errors.Is(err, ErrNoSnapshot) {
		t.Error(err)
	}
	if err := os.Symlink("/dev/null", d.StoragePath()+"/link"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.TakeSnapshot(t.Context(), Snapshot{Tag: "b"}, nil); err == nil || !strings.Contains(err.Error(), "is a link") || snapshotNames(t, d) != "a" {
		t.Errorf("%v, snapshots %s", err, snapshotNames(t, d))
	}
	c := &treeCopy{total: 1 << 60}
	if err := c.checkSpace(d.path); !errors.Is(err, ErrNoSpace) {
		t.Errorf("no room: %v", err)
	}
}

// TestLockedFile locks as QEMU does: a read lock on bytes from 100 on.
func TestLockedFile(t *testing.T) {
	d, _ := stateful(t)
	if got, err := LockedFile(d.path); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	f, err := os.OpenFile(d.StoragePath()+"/data.img", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	lock := unix.Flock_t{Type: unix.F_RDLCK, Start: 100, Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
		t.Fatal(err)
	}
	if got, err := LockedFile(d.StoragePath()); got != f.Name() || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	f.Close()
	if got, err := LockedFile(d.StoragePath()); got != "" || err != nil {
		t.Errorf("closed: %q, %v", got, err)
	}
}

// recipeOf is the recipe that a snapshot keeps.
func recipeOf(t testing.TB, d *Dir, tag string) []byte {
	t.Helper()
	data, err := d.ReadSnapshotRecipe(tag)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
