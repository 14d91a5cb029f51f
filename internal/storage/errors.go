package storage

import (
	"errors"
	"fmt"
)

var (
	// ErrExists is returned by Create for a name that is in use.
	ErrExists = errors.New("machine already exists")
	// ErrNotFound is returned for a machine that is not there.
	ErrNotFound = errors.New("machine not found")
	// ErrInvalidName is returned for a name that cannot name a machine.
	ErrInvalidName = errors.New("invalid machine name")
	// ErrNoSnapshot is returned for a snapshot that is not there.
	ErrNoSnapshot = errors.New("snapshot not found")
	// ErrNoSpace is returned, before anything is written, where a copy would not fit.
	ErrNoSpace = errors.New("not enough free space")
	// ErrLocked is returned (inside a *LockedError) when another command is changing
	// the machine.
	ErrLocked = errors.New("machine is busy")
)

// LockedError says who holds a machine's lock. It is ErrLocked to errors.Is.
type LockedError struct {
	Name string // machine
	PID  int    // process holding the lock, 0 when unknown
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("machine %q is busy", e.Name)
	}
	return fmt.Sprintf("machine %q is busy: process %d is changing it", e.Name, e.PID)
}

// Is reports whether target is ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }
