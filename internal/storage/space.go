package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// FreeSpace returns the bytes that an unprivileged user may still write where path is,
// or would be made: path need not exist.
func FreeSpace(path string) (uint64, error) {
	st, err := statfs(path)
	if err != nil {
		return 0, fmt.Errorf("free space at %q: %w", path, err)
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// Filesystem returns the name of the file system where path is, or would be made:
// "ext4", "btrfs", ..., or "0x" and its magic number when it is an unusual one. The
// images treat some of them specially (qemus/qemu src/disk.sh).
func Filesystem(path string) (string, error) {
	st, err := statfs(path)
	if err != nil {
		return "", fmt.Errorf("file system of %q: %w", path, err)
	}
	return filesystemName(int64(st.Type)), nil
}

// statfs asks about path or its nearest parent that exists.
func statfs(path string) (unix.Statfs_t, error) {
	var st unix.Statfs_t
	path, err := filepath.Abs(path)
	if err != nil {
		return st, err
	}
	for {
		err := unix.Statfs(path, &st)
		if errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path) {
			path = filepath.Dir(path)
			continue
		}
		return st, err
	}
}

// filesystemName knows the magic numbers of statfs(2).
func filesystemName(magic int64) string {
	switch magic {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case 0x2fc12fc1:
		return "zfs"
	case unix.F2FS_SUPER_MAGIC:
		return "f2fs"
	case 0xca451a4e:
		return "bcachefs"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.RAMFS_MAGIC:
		return "ramfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay"
	case unix.ECRYPTFS_SUPER_MAGIC:
		return "ecryptfs"
	case unix.NFS_SUPER_MAGIC:
		return "nfs"
	case unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "cifs"
	case unix.V9FS_MAGIC:
		return "9p"
	case unix.FUSE_SUPER_MAGIC:
		return "fuse"
	case unix.MSDOS_SUPER_MAGIC:
		return "vfat"
	}
	return fmt.Sprintf("0x%x", uint64(magic))
}
