package storage

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSpace(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "not", "yet", "there")} {
		free, err := FreeSpace(path)
		if err != nil || free == 0 {
			t.Errorf("FreeSpace(%q) = %d, %v", path, free, err)
		}
		if name, err := Filesystem(path); err != nil || name == "" {
			t.Errorf("Filesystem(%q) = %q, %v", path, name, err)
		}
	}
	for path, want := range map[string]string{"/proc": "0x9fa0", "/dev/shm": "tmpfs"} {
		if got, err := Filesystem(path); err != nil || got != want {
			t.Errorf("Filesystem(%q) = %q, %v; want %q", path, got, err, want)
		}
	}
}

func TestSpaceErrors(t *testing.T) {
	long := "/" + strings.Repeat("x", 300)
	if _, err := FreeSpace(long); err == nil || !strings.Contains(err.Error(), "free space at") {
		t.Errorf("FreeSpace = %v", err)
	}
	if _, err := Filesystem(long); err == nil {
		t.Error("Filesystem of an impossible path succeeded")
	}
}

func TestFilesystemName(t *testing.T) {
	for magic, want := range map[int64]string{
		unix.EXT4_SUPER_MAGIC: "ext4", unix.BTRFS_SUPER_MAGIC: "btrfs", unix.XFS_SUPER_MAGIC: "xfs",
		unix.OVERLAYFS_SUPER_MAGIC: "overlay", unix.ECRYPTFS_SUPER_MAGIC: "ecryptfs",
		unix.FUSE_SUPER_MAGIC: "fuse", unix.NFS_SUPER_MAGIC: "nfs", 0x2fc12fc1: "zfs", 1: "0x1",
	} {
		if got := filesystemName(magic); got != want {
			t.Errorf("filesystemName(%#x) = %q, want %q", magic, got, want)
		}
	}
}
