package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// portsLockFile is locked, in the store, by whoever chooses host ports.
const portsLockFile = ".ports"

// LockPorts waits until no other command of this user chooses host ports, and keeps
// others from it until release is called: nothing else stands between two machines
// that want the same one. The lock ends with the process.
func (s *Store) LockPorts(ctx context.Context) (release func(), err error) {
	if err := os.MkdirAll(s.root, 0o700); err != nil {
		return nil, err
	}
	f, err := openLock(filepath.Join(s.root, portsLockFile))
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := flockTry(f)
		if err == nil {
			return func() { f.Close() }, nil // closing unlocks
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock the choice of ports: %w", err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
