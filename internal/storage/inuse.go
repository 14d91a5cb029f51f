package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// LockedFile returns a file in a folder, or below it, that a program has locked: QEMU locks
// the disks that it runs a guest on (QEMU block/file-posix.c, RAW_LOCK_PERM_BASE), whoever
// started it and on whatever runtime. "" where there is none, or no folder; files that this
// user may not open are passed over.
func LockedFile(folder string) (string, error) {
	var locked string
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case errors.Is(err, fs.ErrPermission):
			return fs.SkipDir
		case err != nil || e.IsDir():
			return err
		}
		is, err := isLocked(path)
		if is {
			locked = path
			return fs.SkipAll
		}
		return err
	})
	return locked, err
}

func isLocked(path string) (bool, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return false, nil // gone meanwhile, a dangling link, a socket
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock); err != nil {
		return false, nil // a file system without locks
	}
	return lock.Type != unix.F_UNLCK, nil
}
