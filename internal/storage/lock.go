package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lockPoll is how often a waiting Lock looks again. flock(2) cannot wait with a
// deadline, and commands hold the lock for seconds.
const lockPoll = 50 * time.Millisecond

// Lock waits until no other command, in this process or another, is changing the
// machine, then keeps others out until unlock is called. The lock ends with the
// process, so a crash leaves none behind.
//
// When ctx ends first the error is ErrLocked (a *LockedError) and ctx's error at once.
// ErrNotFound when the machine is, or becomes, deleted.
func (d *Dir) Lock(ctx context.Context) (unlock func(), err error) {
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		unlock, err := d.TryLock()
		if !errors.Is(err, ErrLocked) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", err, ctx.Err())
		case <-tick.C:
		}
	}
}

// TryLock is Lock without the wait: a *LockedError says who holds it.
func (d *Dir) TryLock() (unlock func(), err error) {
	for {
		f, err := d.openMachineLock()
		if err != nil {
			return nil, err
		}
		err = flockTry(f)
		if errors.Is(err, unix.EWOULDBLOCK) {
			held := &LockedError{Name: d.name, PID: readPID(f)}
			f.Close()
			return nil, held
		}
		if err == nil && d.stale(f) {
			f.Close()
			continue
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock machine %q: %w", d.name, err)
		}
		writePID(f)
		return func() { clearPID(f); f.Close() }, nil
	}
}

func (d *Dir) openMachineLock() (*os.File, error) {
	if !d.isMachine() {
		return nil, fmt.Errorf("%w: %q", ErrNotFound, d.name)
	}
	f, err := openLock(d.lockPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %q", ErrNotFound, d.name)
	}
	if err != nil {
		return nil, fmt.Errorf("lock machine %q: %w", d.name, err)
	}
	return f, nil
}

// stale reports whether the locked file is no longer the machine's: while we waited,
// the machine was deleted, and perhaps made anew.
func (d *Dir) stale(f *os.File) bool {
	mine, err1 := f.Stat()
	now, err2 := os.Lstat(d.lockPath())
	return err1 != nil || err2 != nil || !os.SameFile(mine, now) || !d.isMachine()
}

func openLock(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
}

func flockTry(f *os.File) error { return flock(f, unix.LOCK_EX|unix.LOCK_NB) }

func flockWait(f *os.File) error { return flock(f, unix.LOCK_EX) }

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			return err
		}
	}
}

// The process id in the file is for messages only, so failing to write it is no error.
func writePID(f *os.File) {
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
}

func clearPID(f *os.File) { _ = f.Truncate(0) }

func readPID(f *os.File) int {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}
