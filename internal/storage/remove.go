package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"vmctl/internal/hint"
)

// Remove deletes the machine; the caller holds its lock and has made sure that no
// container runs on it. With keepStorage the storage, disks and snapshots folders stay, with
// StateFile, which says whose disk it is, and a later Create of the same name takes them
// over; where there is nothing in them, nothing stays. Only files that we or an image made
// are removed: kept names (absolute) what was left because it is the user's.
//
// The recipe goes last, so a Remove that was interrupted, or that met files of another
// user (a *DeniedError), leaves a machine that can be removed again. Removing an
// absent machine succeeds.
func (d *Dir) Remove(keepStorage bool) (kept []string, err error) {
	root, err := os.OpenRoot(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, d.openError(err)
	}
	defer root.Close()
	r := &removal{dir: d, root: root}
	items, folders, err := d.walk(root)
	var denied *DeniedError
	switch {
	case errors.As(err, &denied):
		r.addDenied(denied.Paths, keepStorage)
	case err != nil:
		return nil, err
	}
	r.files(items, keepStorage)
	if err := r.result(); err != nil {
		return r.kept, err
	}
	r.folders(folders)
	if keepStorage && !r.exists(StorageDir) && !r.exists(DisksDir) && !r.exists(SnapshotsDir) {
		r.remove(StateFile)
	}
	r.last(RecipeFile)
	r.last(LockFile)
	if err := r.result(); err != nil {
		return r.kept, err
	}
	return r.kept, r.removeSelf()
}

// removal gathers what one Remove meets.
type removal struct {
	dir     *Dir
	root    *os.Root
	parents []string // folders that lost a file
	kept    []string // the user's files
	denied  []string // another user's files
	failed  error
}

func (r *removal) addDenied(paths []string, keepStorage bool) {
	for _, p := range paths {
		rel, err := filepath.Rel(r.dir.path, p)
		if err != nil || !keepStorage || !inStorage(filepath.ToSlash(rel)) {
			r.denied = append(r.denied, p)
		}
	}
}

// files removes all that is ours but the recipe and the lock.
func (r *removal) files(items []Item, keepStorage bool) {
	for _, it := range items {
		switch {
		case it.Path == RecipeFile, it.Path == LockFile:
		case keepStorage && (inStorage(it.Path) || it.Path == StateFile):
		case it.Foreign:
			r.kept = append(r.kept, filepath.Join(r.dir.path, it.Path))
		default:
			r.remove(it.Path)
			r.parents = append(r.parents, path.Dir(it.Path))
		}
	}
}

func (r *removal) last(rel string) {
	if len(r.denied) == 0 && r.failed == nil {
		r.remove(rel)
	}
}

func (r *removal) remove(rel string) {
	err := r.root.Remove(rel)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, fs.ErrPermission):
		r.denied = append(r.denied, filepath.Join(r.dir.path, rel))
	default:
		r.failed = errors.Join(r.failed, err)
	}
}

// folders removes those that are ours and empty now, deepest first. One that is not
// empty holds something to keep; an empty storage folder is not worth keeping.
func (r *removal) folders(owned []string) {
	all := append([]string{StorageDir, DisksDir, LogsDir, SnapshotsDir, EphemeralDir, path.Join(StorageDir, BackupsDir)}, owned...)
	if disks, err := fs.ReadDir(r.root.FS(), DisksDir); err == nil {
		for _, e := range disks {
			all = append(all, path.Join(DisksDir, e.Name()))
		}
	}
	for _, p := range r.parents {
		for ; p != "."; p = path.Dir(p) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(b, a) })
	for _, p := range slices.Compact(all) {
		if info, err := r.root.Lstat(p); err != nil || !info.IsDir() {
			continue
		}
		_ = r.root.Remove(p)
	}
}

func (r *removal) exists(rel string) bool {
	_, err := r.root.Lstat(rel)
	return err == nil
}

func (r *removal) result() error {
	if len(r.denied) > 0 {
		err := fmt.Errorf("remove %w", &DeniedError{Name: r.dir.name, Paths: r.denied})
		return hint.With(errors.Join(err, r.failed), "remove them as root: sudo rm -r %s", strings.Join(r.denied, " "))
	}
	if r.failed != nil {
		return fmt.Errorf("remove machine %q: %w", r.dir.name, r.failed)
	}
	return nil
}

// removeSelf removes the machine's directory if nothing is kept in it.
func (r *removal) removeSelf() error {
	err := os.Remove(r.dir.path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return syncDir(filepath.Dir(r.dir.path))
	}
	if entries, readErr := os.ReadDir(r.dir.path); readErr == nil && len(entries) > 0 {
		return syncDir(r.dir.path)
	}
	return fmt.Errorf("remove machine %q: %w", r.dir.name, err)
}
