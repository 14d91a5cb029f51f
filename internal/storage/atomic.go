package storage

import (
	"errors"
	"os"
	"path/filepath"
)

// tempPattern is how a file is called while it is being written.
const tempPattern = ".writing-*"

// writeFile replaces path by data (mode 0600) so that a reader, also one after a
// crash, finds all of the old or all of the new content: temporary file, fsync,
// rename, fsync of the directory.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), tempPattern)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
