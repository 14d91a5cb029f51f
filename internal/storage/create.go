package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"vmctl/internal/hint"
)

// Create makes the machine called name. fill works in a hidden directory that becomes
// the machine when fill has returned nil, in one step; until then nobody sees it, and
// after an error, or if the process dies, nothing of it stays. fill must write the
// recipe; paths taken from its Dir are temporary.
//
// When a deleted machine of that name left its storage (see Dir.Remove), the new one
// takes it over: call Kept first to look at it. A name in use is ErrExists.
func (s *Store) Create(name string, fill func(*Dir) error) (*Dir, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	tmp, done, err := s.begin(name)
	if err != nil {
		return nil, fmt.Errorf("create machine %q: %w", name, err)
	}
	defer done()
	if err := fill(tmp); err != nil {
		return nil, fmt.Errorf("create machine %q: %w", name, err)
	}
	if !tmp.isMachine() {
		return nil, fmt.Errorf("create machine %q: no %s was written", name, RecipeFile)
	}
	if err := s.commit(tmp); err != nil {
		return nil, fmt.Errorf("create machine %q: %w", name, err)
	}
	return s.dir(name), nil
}

// begin makes the hidden directory, locked so that no sweep takes it. done removes
// whatever is still under the hidden name and lets the lock go.
func (s *Store) begin(name string) (tmp *Dir, done func(), err error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	s.sweep()
	if s.dir(name).isMachine() {
		return nil, nil, ErrExists
	}
	path, err := os.MkdirTemp(s.root, creatingPrefix+name+"-")
	if err != nil {
		return nil, nil, err
	}
	tmp = &Dir{name: name, path: path}
	f, err := tmp.prepare()
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(path))
	}
	return tmp, func() {
		_ = os.RemoveAll(path) // gone already after a commit; else the next sweep's
		f.Close()
	}, nil
}

// prepare makes what every machine has and locks it.
func (d *Dir) prepare() (*os.File, error) {
	for _, p := range []string{d.StoragePath(), d.LogsPath()} {
		if err := os.Mkdir(p, 0o700); err != nil {
			return nil, err
		}
	}
	f, err := openLock(d.lockPath())
	if err != nil {
		return nil, err
	}
	if err := flockTry(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// commit gives the finished directory its name.
func (s *Store) commit(tmp *Dir) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	d := s.dir(tmp.name)
	if d.isMachine() {
		return ErrExists
	}
	if err := syncDir(tmp.path); err != nil {
		return err
	}
	err = RenameNew(tmp.path, d.path)
	if errors.Is(err, unix.EEXIST) {
		err = adopt(tmp, d)
	}
	if err != nil {
		return err
	}
	return syncDir(s.root)
}

// adopt moves the new machine's files into the directory that a deleted one left, the
// recipe last: only that makes it a machine.
func adopt(tmp, d *Dir) error {
	entries, err := os.ReadDir(tmp.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == RecipeFile || e.Name() == LockFile {
			continue
		}
		if err := adoptEntry(tmp, d, e); err != nil {
			return err
		}
	}
	if err := syncDir(d.path); err != nil {
		return err
	}
	if err := os.Rename(tmp.RecipePath(), d.RecipePath()); err != nil {
		return err
	}
	return syncDir(d.path)
}

func adoptEntry(tmp, d *Dir, e os.DirEntry) error {
	from, to := filepath.Join(tmp.path, e.Name()), filepath.Join(d.path, e.Name())
	if !e.IsDir() {
		return os.Rename(from, to)
	}
	err := RenameNew(from, to)
	if !errors.Is(err, unix.EEXIST) {
		return err
	}
	if os.Remove(from) == nil { // empty: the kept one serves
		return nil
	}
	return hint.With(fmt.Errorf("%w: a deleted machine left its own %s/", ErrExists, e.Name()),
		"look at it and move it away: %s", to)
}

// RenameNew renames a file or directory to a name that must be free: fs.ErrExist if it is
// not.
func RenameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		// The file system cannot promise it (some network ones); we hold the store's lock.
		if _, err := os.Lstat(to); err == nil {
			return unix.EEXIST
		}
		return os.Rename(from, to)
	case err != nil:
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
