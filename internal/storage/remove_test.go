package storage

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"vmctl/internal/hint"
)

// asOther runs f with the file permissions of another, unprivileged user. Tests run as
// root have to give their privilege away; others get the same by having no access.
func asOther(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with its changed identity
		if os.Geteuid() == 0 {
			if err := unix.Setfsuid(65534); err != nil {
				t.Error(err)
				return
			}
		}
		f()
	}()
	<-done
}

// openParents lets everybody pass to the machine's directory but not into its storage.
func openParents(t *testing.T, d *Dir) {
	t.Helper()
	if os.Geteuid() != 0 {
		chmod(t, d.StoragePath(), 0)
		t.Cleanup(func() { _ = os.Chmod(d.StoragePath(), 0o700) })
	}
	for p := d.Path(); p != os.TempDir() && p != "/"; p = filepath.Dir(p) {
		chmod(t, p, 0o755)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// fullMachine has every kind of file that may appear.
func fullMachine(t *testing.T, s *Store) *Dir {
	t.Helper()
	d := create(t, s, "vm")
	for _, f := range []string{
		"machine.json", ".writing-123", "logs/vm/0.log", "logs/x.log", "snapshots/one/data.img",
		"storage/data.img", "storage/windows.boot", "storage/windows.base", "storage/win11x64_fr.iso",
		"storage/tmp/deep/er/file", "storage/backups/win11x64.1/data.img", "storage/backups/win11x64.1/windows.ver",
		"disks/games/data2.img", "disks/tv/data6.qcow2", "storage/alpine/data.qcow2", "storage/alpine/boot.iso", "storage/alpine/uefi.vars",
		"storage/14/base.dmg", "storage/14/macos.sn", "storage/14/macos_hd.rom", "storage/14/boot.sig",
	} {
		write(t, d, f, "12345")
	}
	return d
}

func addForeign(t *testing.T, d *Dir) []string {
	t.Helper()
	names := []string{"notes.txt", "disks/games/save.img", "disks/data2.img", "storage/my-own.iso", "storage/shared/photo.jpg", "storage/a/b/data.img"}
	for _, f := range names {
		write(t, d, f, "mine")
	}
	return names
}

func TestInventory(t *testing.T) {
	d := fullMachine(t, newStore(t))
	foreign := addForeign(t, d)
	items, err := d.Inventory()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range items {
		if it.Foreign {
			got = append(got, it.Path)
		}
		if it.Path == "storage/data.img" && (it.Size != 5 || it.Allocated < 0) {
			t.Errorf("got %+v", it)
		}
	}
	if diff := cmp.Diff([]string{"disks/data2.img", "disks/games/save.img", "notes.txt", "storage/a/b/data.img", "storage/my-own.iso", "storage/shared/photo.jpg"}, got); diff != "" {
		t.Errorf("foreign (-want +got):\n%s", diff)
	}
	if want := 21 + 2 + len(foreign); len(items) != want { // and recipe.toml, lock
		t.Errorf("%d items, want %d: %v", len(items), want, items)
	}
	if _, err := (&Dir{name: "x", path: filepath.Join(d.path, "absent")}).Inventory(); !errors.Is(err, ErrNotFound) {
		t.Errorf("Inventory of nothing = %v, want ErrNotFound", err)
	}
}

func TestRemoveAll(t *testing.T) {
	s := newStore(t)
	d := fullMachine(t, s)
	kept, err := d.Remove(false)
	if err != nil || len(kept) != 0 {
		t.Fatalf("Remove = %v, %v", kept, err)
	}
	if diff := cmp.Diff([]string{".lock"}, tree(t, s.Root())); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if kept, err := d.Remove(false); err != nil || kept != nil {
		t.Errorf("second Remove = %v, %v; want none", kept, err)
	}
}

func TestRemoveKeepsStorage(t *testing.T) {
	s := newStore(t)
	d := fullMachine(t, s)
	before := tree(t, d.StoragePath())
	if _, err := d.Remove(true); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, tree(t, d.StoragePath())); diff != "" {
		t.Errorf("storage (-before +after):\n%s", diff)
	}
	entries, err := os.ReadDir(d.Path())
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if diff := cmp.Diff([]string{"disks", "machine.json", "snapshots", "storage"}, left); diff != "" || err != nil {
		t.Errorf("left: %v\n%s", err, diff)
	}
	if names, _ := s.List(); len(names) != 0 {
		t.Errorf("still listed: %v", names)
	}
}

func TestRemoveKeepingEmptyStorageLeavesNothing(t *testing.T) {
	s := newStore(t)
	d := create(t, s, "vm")
	write(t, d, StateFile, "{}")
	if _, err := d.Remove(true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Kept("vm"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Kept = %v, want ErrNotFound", err)
	}
}

func TestRemoveLeavesForeignFiles(t *testing.T) {
	s := newStore(t)
	d := fullMachine(t, s)
	want := map[string]bool{}
	for _, f := range addForeign(t, d) {
		want[filepath.Join(d.Path(), f)] = true
	}
	kept, err := d.Remove(false)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, f := range kept {
		got[f] = true
		if data, err := os.ReadFile(f); string(data) != "mine" || err != nil {
			t.Errorf("%s: %q, %v", f, data, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	left := []string{"disks/", "disks/data2.img", "disks/games/", "disks/games/save.img", "notes.txt", "storage/", "storage/a/", "storage/a/b/", "storage/a/b/data.img",
		"storage/my-own.iso", "storage/shared/", "storage/shared/photo.jpg"}
	if diff := cmp.Diff(left, tree(t, d.Path())); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestRemoveDoesNotFollowLinks(t *testing.T) {
	s := newStore(t)
	d := create(t, s, "vm")
	outside := t.TempDir()
	victim := filepath.Join(outside, "data.img")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		"logs/up": outside, "storage/tmp": outside, "storage/data.img": victim, "snapshots": outside,
	} {
		if err := os.Symlink(target, filepath.Join(d.Path(), link)); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := d.Remove(false)
	if err != nil {
		t.Fatal(err)
	}
	// Who replaced a whole folder by a link did it to keep the data elsewhere.
	if diff := cmp.Diff([]string{d.SnapshotsPath()}, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if data, err := os.ReadFile(victim); string(data) != "precious" || err != nil {
		t.Errorf("file behind a link: %q, %v", data, err)
	}
	if diff := cmp.Diff([]string{".lock", "vm/", "vm/snapshots"}, tree(t, s.Root())); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestRemoveNamesFilesOfAnotherUser(t *testing.T) {
	s := newStore(t)
	d := create(t, s, "vm")
	write(t, d, "storage/data.img", "x")
	openParents(t, d)
	asOther(t, func() {
		_, err := d.Inventory()
		if os.Geteuid() == 0 && !errors.As(err, new(*DeniedError)) {
			t.Errorf("Inventory = %v, want a *DeniedError", err)
		}
		_, err = d.Remove(false)
		var denied *DeniedError
		if !errors.As(err, &denied) || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Remove = %v, want a *DeniedError", err)
			return
		}
		if !strings.Contains(err.Error(), d.StoragePath()) || !strings.Contains(hint.Of(err), "sudo rm -r "+d.Path()) {
			t.Errorf("error %q, hint %q", err, hint.Of(err))
		}
	})
	if !d.isMachine() {
		t.Error("the machine vanished although its files are still there")
	}
	if os.Geteuid() == 0 { // and whoever may, can finish
		if _, err := d.Remove(false); err != nil {
			t.Error(err)
		}
	}
}
