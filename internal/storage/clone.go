package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CopyState fills the storage and the further disks of a machine that is being made (see
// Create) with copies of another one's. The caller holds the other one's lock and has made
// sure that nothing runs on it.
func (d *Dir) CopyState(ctx context.Context, of *Dir, progress CopyProgress) error {
	if err := os.Remove(d.StoragePath()); err != nil { // made empty by Create
		return err
	}
	places, err := of.places()
	if err == nil {
		_, _, err = copyPlaces(ctx, of.name, places, d.path, progress)
	}
	return err
}

// RemoveFiles removes the files whose names match one of the patterns (path.Match) from
// the storage folder and the folders directly in it, but for BackupsDir and TempDir.
func (d *Dir) RemoveFiles(patterns []string) error {
	entries, err := os.ReadDir(d.StoragePath())
	if err != nil {
		return err
	}
	folders := []string{d.StoragePath()}
	for _, e := range entries {
		if e.IsDir() && e.Name() != BackupsDir && e.Name() != TempDir {
			folders = append(folders, filepath.Join(d.StoragePath(), e.Name()))
		}
	}
	for _, folder := range folders {
		for _, p := range patterns {
			found, err := filepath.Glob(filepath.Join(folder, p))
			if err != nil {
				return err
			}
			for _, path := range found {
				if err := os.Remove(path); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Rename gives the machine called name another name, in one step; the caller holds its
// lock, which goes with it. A name in use, or one of which a deleted machine left
// something, is ErrExists.
func (s *Store) Rename(name, to string) (*Dir, error) {
	d, err := s.Open(name)
	if err != nil {
		return nil, err
	}
	if err := ValidName(to); err != nil {
		return nil, err
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	err = RenameNew(d.path, s.dir(to).path)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: %q", ErrExists, to)
	}
	if err != nil {
		return nil, fmt.Errorf("rename machine %q: %w", name, err)
	}
	return s.dir(to), syncDir(s.root)
}
