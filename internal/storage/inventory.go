package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Item is one file of a machine's directory.
type Item struct {
	Path      string // below the machine's directory, as in "storage/data.img"
	Size      int64  // bytes
	Allocated int64  // bytes it takes on the host
	Foreign   bool   // not made by us or by an image: Remove leaves it
}

// DeniedError names what could not be looked at or removed because it belongs to
// another user, usually root: containers write as root.
type DeniedError struct {
	Name  string   // machine
	Paths []string // absolute
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("machine %q: no permission for %s", e.Name, strings.Join(e.Paths, ", "))
}

// Is reports whether target is fs.ErrPermission.
func (e *DeniedError) Is(target error) bool { return target == fs.ErrPermission }

// Inventory lists every file of the machine, in the order of their names: what Remove
// would take away, and, marked Foreign, what it would leave. Folders that may not be
// read are a *DeniedError, which comes with the rest of the list.
func (d *Dir) Inventory() ([]Item, error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, d.openError(err)
	}
	defer root.Close()
	items, _, err := d.walk(root)
	return items, err
}

// walk returns the files and, parents first, the folders that are wholly ours.
func (d *Dir) walk(root *os.Root) (items []Item, folders []string, err error) {
	var denied []string
	err = fs.WalkDir(root.FS(), ".", func(rel string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission):
			denied = append(denied, filepath.Join(d.path, rel))
			return fs.SkipDir
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone meanwhile
		case err != nil:
			return err
		case e.IsDir():
			if ownedTree(strings.Split(rel, "/")) {
				folders = append(folders, rel)
			}
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		items = append(items, Item{
			Path: rel, Size: info.Size(), Allocated: allocated(info), Foreign: !ours(rel),
		})
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list files of machine %q: %w", d.name, err)
	}
	if len(denied) > 0 {
		return items, folders, &DeniedError{Name: d.name, Paths: denied}
	}
	return items, folders, nil
}

func (d *Dir) openError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %q", ErrNotFound, d.name)
	}
	return fmt.Errorf("open machine %q: %w", d.name, err)
}

// inStorage reports whether rel belongs to what a machine's deletion may keep.
func inStorage(rel string) bool {
	top, _, _ := strings.Cut(path.Clean(rel), "/")
	return top == StorageDir || top == DisksDir || top == SnapshotsDir
}
