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
// PATH.partial, and removed if write returns an error; one that a killed command has left
// is written anew. One that is there already is fs.ErrExist.
func WriteNew(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return hint.With(fmt.Errorf("%s: %w", path, fs.ErrExist), "choose another name, or remove it")
	}
	partial := path + ".partial"
	f, err := OpenPartial(partial)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = RenameNew(partial, path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(partial))
	}
	return errors.Join(err, f.Close()) // the lock is held until then
}
