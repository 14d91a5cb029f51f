package storage

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Ephemeral returns the same machine with the copy of its disks that MakeEphemeral made in
// the place of its own. Only StoragePath and DiskPath differ.
func (d *Dir) Ephemeral() *Dir {
	return &Dir{name: d.name, path: filepath.Join(d.path, EphemeralDir)}
}

// MakeEphemeral copies the storage and the further disks into EphemeralDir, anew. The caller
// holds the lock and has made sure that nothing runs on either. It returns what copyPlaces
// does.
func (d *Dir) MakeEphemeral(ctx context.Context, progress CopyProgress) (size int64, shared bool, err error) {
	if err := d.DropEphemeral(); err != nil {
		return 0, false, err
	}
	to := d.Ephemeral().path
	if err := os.Mkdir(to, 0o700); err != nil {
		return 0, false, err
	}
	places, err := d.places()
	if err != nil {
		return 0, false, err
	}
	return copyPlaces(ctx, d.name, places, to, progress)
}

// HasEphemeral reports whether there is such a copy, of a run or left of one.
func (d *Dir) HasEphemeral() bool {
	_, err := os.Lstat(d.Ephemeral().path)
	return err == nil
}

// DropEphemeral removes that copy. What belongs to another user is a *DeniedError.
func (d *Dir) DropEphemeral() error {
	err := os.RemoveAll(d.Ephemeral().path)
	if errors.Is(err, fs.ErrPermission) {
		return &DeniedError{Name: d.name, Paths: []string{d.Ephemeral().path}}
	}
	return err
}
