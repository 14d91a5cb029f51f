package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"vmctl/internal/hint"
)

// WriteNew makes a file that is there when it is complete: until then it is called
// PATH.partial, and removed if write returns an error. One that is there already is
// fs.ErrExist.
func WriteNew(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return hint.With(fmt.Errorf("%s: %w", path, fs.ErrExist), "choose another name, or remove it")
	}
	partial := path + ".partial"
	f, err := os.OpenFile(partial, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = RenameNew(partial, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	return nil
}
