//go:build e2e

package storage

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// mounted makes a file system in a file and mounts it for the time of a test.
func mounted(t testing.TB, mkfs ...string) string {
	t.Helper()
	dir := t.TempDir()
	image, at := dir+"/image", dir+"/mount"
	f, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(4 << 30); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{append(mkfs, image), {"mount", "-o", "loop", image, at}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", at).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	return at
}

// tenGigabytes makes a machine in a store with a disk of 10 GB that holds some data.
func tenGigabytes(t testing.TB, root string, data int64, flags int) *Dir {
	t.Helper()
	d, err := NewStore(root).Create("m", func(d *Dir) error { return d.WriteRecipe([]byte("1")) })
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteJSON(StateFile, 1); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(d.StoragePath(), RawDisk))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if flags != 0 {
		if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags); err != nil {
			t.Fatal(err)
		}
	}
	block := make([]byte, 16<<20)
	for i := range block {
		block[i] = byte(i * 7 >> 3)
	}
	for at, n := int64(0), int64(0); n < data; at, n = at+(100<<20), n+int64(len(block)) {
		if _, err := f.WriteAt(block, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(10 << 30); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	return d
}

// blockAt reads of a disk.
func blockAt(t *testing.T, folder string, at int64) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, RawDisk))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	if _, err := f.ReadAt(block, at); err != nil {
		t.Fatal(err)
	}
	return block
}

// TestE2EShare takes and restores snapshots where blocks are shared: no space goes, also of a
// disk that btrfs must not copy on write, as the images ask for theirs.
func TestE2EShare(t *testing.T) {
	for _, c := range []struct {
		mkfs  []string
		flags int
	}{{[]string{"/usr/sbin/mkfs.btrfs", "-q"}, 0}, {[]string{"/usr/sbin/mkfs.btrfs", "-q"}, noCOW}, {[]string{"/usr/sbin/mkfs.xfs", "-q"}, 0}} {
		t.Run(fmt.Sprint(filepath.Base(c.mkfs[0]), c.flags), func(t *testing.T) {
			root := mounted(t, c.mkfs...)
			d := tenGigabytes(t, root, 128<<20, c.flags)
			before, err := FreeSpace(root)
			if err != nil {
				t.Fatal(err)
			}
			s, err := d.TakeSnapshot(t.Context(), Snapshot{Tag: "a"}, nil)
			if err != nil || !s.Shared {
				t.Fatalf("%+v, %v", s, err)
			}
			if err := d.RestoreSnapshot(t.Context(), "a", Snapshot{Tag: "b"}, recipeOf(t, d, "a"), 1, nil); err != nil {
				t.Fatal(err)
			}
			after, err := FreeSpace(root)
			if err != nil {
				t.Fatal(err)
			}
			if used := int64(before) - int64(after); used > 32<<20 {
				t.Errorf("three states of 128 MB take %d bytes more than one", used)
			}
			if a, b := blockAt(t, d.StoragePath(), 300<<20), blockAt(t, d.SnapshotsPath()+"/b/storage", 300<<20); !bytes.Equal(a, b) || a[100] != 87 {
				t.Error("what was restored is not what was")
			}
		})
	}
}

// BenchmarkE2ESnapshot copies a disk of 10 GB with 1 GB of data, against cp.
func BenchmarkE2ESnapshot(b *testing.B) {
	for _, fs := range []string{"here", "btrfs"} {
		root := b.TempDir()
		if fs == "btrfs" {
			root = mounted(b, "/usr/sbin/mkfs.btrfs", "-q")
		}
		d := tenGigabytes(b, root, 1<<30, 0)
		b.Run(fs+"/snapshot", func(b *testing.B) {
			for b.Loop() {
				if _, err := d.TakeSnapshot(b.Context(), Snapshot{Tag: "a"}, nil); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := d.DeleteSnapshot("a"); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
		b.Run(fs+"/cp", func(b *testing.B) {
			for b.Loop() {
				cmd := exec.Command("sh", "-c", "cp -r --reflink=auto --sparse=always "+d.StoragePath()+" "+root+"/copy && sync "+root+"/copy/data.img")
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
				b.StopTimer()
				if err := os.RemoveAll(root + "/copy"); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
