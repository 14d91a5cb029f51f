package storage

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// extents calls fn with each stretch of a file that holds data, from start to before end;
// what is between them are holes. A file system that does not know of holes has one
// stretch (lseek(2), SEEK_DATA).
func extents(f *os.File, size int64, fn func(start, end int64) error) error {
	for at := int64(0); at < size; {
		start, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // only a hole is left
		}
		if err != nil {
			return fmt.Errorf("find the data of %q: %w", f.Name(), err)
		}
		end, err := unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			return fmt.Errorf("find the data of %q: %w", f.Name(), err)
		}
		if end = min(end, size); end <= start {
			return nil // it has become shorter meanwhile
		}
		if err := fn(start, end); err != nil {
			return err
		}
		at = end
	}
	return nil
}
