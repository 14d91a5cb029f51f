package recipe

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockFolder keeps other commands from writing recipes in the folder of a file until
// unlock is called, so that none writes over what another has just written. It waits: a
// write takes milliseconds. The lock is on the folder itself and leaves no file behind.
// Where there is no folder yet, or its file system has no locks, there is none.
func lockFolder(path string) (unlock func()) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := os.Open(filepath.Dir(path))
	if err != nil {
		return func() {}
	}
	for unix.Flock(int(f.Fd()), unix.LOCK_EX) == unix.EINTR {
		continue
	}
	return func() { f.Close() }
}
