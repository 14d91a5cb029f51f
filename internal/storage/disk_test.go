package storage

import (
	"os"
	"path/filepath"
	"testing"
)

// sparse makes a file of a size with data bytes really written at its start.
func sparse(t *testing.T, path string, size, data int64) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, data)); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil { // or delayed allocation shows nothing
		t.Fatal(err)
	}
}

func TestDisk(t *testing.T) {
	for _, c := range []struct {
		name     string
		files    []string
		patterns Patterns
		disks    int
		marker   bool
	}{
		{name: "empty"},
		{name: "windows, installed", files: []string{"data.img", "windows.boot", "windows.base"}, disks: 1, marker: true},
		{name: "windows, never stopped cleanly", files: []string{"data.img", "windows.base"}, disks: 1},
		{name: "qcow2", files: []string{"data.qcow2", "demo.boot"}, disks: 1, marker: true},
		{name: "both formats", files: []string{"data.img", "data.qcow2"}, disks: 2},
		{name: "marker without disk", files: []string{"windows.boot"}},
		{name: "qemu in a subfolder", files: []string{"alpine/data.img", "alpine/qemu.mac"}, disks: 1},
		{name: "marker is in another folder", files: []string{"a/data.img", "windows.boot"}, disks: 1},
		{name: "one of two is marked", files: []string{"data.img", "windows.boot", "a/data.img"}, disks: 2},
		{name: "backups and tmp are no disks", files: []string{"backups/data.img", "tmp/data.img"}},
		{name: "too deep", files: []string{"a/b/data.img"}},
		{name: "a folder is no disk", files: []string{"data.img/x"}},
		{name: "own patterns", files: []string{"hd.raw", "data.img", "done"},
			patterns: Patterns{Disks: []string{"*.raw"}, Markers: []string{"done"}}, disks: 1, marker: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for _, f := range c.files {
				sparse(t, filepath.Join(root, f), 1<<20, 0)
			}
			got, err := InspectDisk(root, c.patterns)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Files) != c.disks || got.HasMarker != c.marker || got.Present() != (c.disks > 0) {
				t.Errorf("got %+v, want %d disks, marker %v", got, c.disks, c.marker)
			}
		})
	}
}

func TestDiskSizes(t *testing.T) {
	d := create(t, newStore(t), "vm")
	path := filepath.Join(d.StoragePath(), "data.img")
	sparse(t, path, 1<<30, 1<<20)
	disk, err := d.Disk(Patterns{})
	if err != nil || len(disk.Files) != 1 {
		t.Fatalf("%+v, %v", disk, err)
	}
	f := disk.Files[0]
	if f.Path != path || f.Size != 1<<30 {
		t.Errorf("got %+v", f)
	}
	if f.Allocated < 1<<20 || f.Allocated > 2<<20 || disk.Allocated() != f.Allocated {
		t.Errorf("%d bytes allocated (all: %d), want about 1 MiB", f.Allocated, disk.Allocated())
	}
}

func TestDiskFollowsALinkedDisk(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	sparse(t, filepath.Join(other, "big"), 1<<20, 0)
	if err := os.Symlink(filepath.Join(other, "big"), filepath.Join(root, "data.img")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(root, "data.qcow2")); err != nil {
		t.Fatal(err)
	}
	got, err := InspectDisk(root, Patterns{})
	if err != nil || len(got.Files) != 1 || got.Files[0].Size != 1<<20 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDiskErrors(t *testing.T) {
	root := t.TempDir()
	if got, err := InspectDisk(filepath.Join(root, "absent"), Patterns{}); err != nil || got.Present() {
		t.Errorf("absent folder: %+v, %v", got, err)
	}
	sparse(t, filepath.Join(root, "data.img"), 1, 0)
	for _, p := range []Patterns{{Disks: []string{"["}}, {Markers: []string{"["}}} {
		if _, err := InspectDisk(root, p); err == nil {
			t.Errorf("pattern %q was accepted", p)
		}
	}
	if _, err := InspectDisk(filepath.Join(root, "data.img"), Patterns{}); err == nil {
		t.Error("a file was accepted as a folder")
	}
}

func TestDiskUnreadableFolderIsNoEmptyFolder(t *testing.T) {
	d := create(t, newStore(t), "vm")
	sparse(t, filepath.Join(d.StoragePath(), "alpine/data.img"), 1, 0)
	openParents(t, d)
	asOther(t, func() {
		if disk, err := d.Disk(Patterns{}); err == nil {
			t.Errorf("unreadable storage passed as %+v", disk)
		}
	})
}
