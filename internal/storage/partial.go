package storage

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"vmctl/internal/hint"
)

// OpenPartial makes a file that is to get its own name when it is complete, and empties one
// that a command which died has left. One that another command is writing is ErrLocked.
func OpenPartial(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, err
		}
		err = flockTry(f)
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = hint.With(fmt.Errorf("%w: another command is writing %s", ErrLocked, path), "choose another name, or wait for it")
		}
		mine, err1 := f.Stat()
		now, err2 := os.Lstat(path)
		if err == nil && (err1 != nil || err2 != nil || !os.SameFile(mine, now)) {
			f.Close() // it got its own name, or was removed, meanwhile
			continue
		}
		if err == nil {
			err = f.Truncate(0)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}
}
