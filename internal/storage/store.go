package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	creatingPrefix = ".creating-" // a machine being made
	storeLockFile  = ".lock"      // flock taken while a name is claimed
)

// Store is the directory that holds all machines of a user.
type Store struct{ root string }

// NewStore returns the store in root, usually $XDG_DATA_HOME/vmctl/machines. It does
// no I/O: root is made by the first Create.
func NewStore(root string) *Store { return &Store{root: root} }

// Root returns the directory given to NewStore.
func (s *Store) Root() string { return s.root }

// List returns the names of all machines, sorted. No store is no machines.
func (s *Store) List() ([]string, error) {
	entries, err := os.ReadDir(s.root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	var names []string
	for _, e := range entries {
		if ValidName(e.Name()) == nil && s.dir(e.Name()).isMachine() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Open returns the machine called name, or an error that is ErrNotFound (or
// ErrInvalidName when no machine can bear that name).
func (s *Store) Open(name string) (*Dir, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	d := s.dir(name)
	_, err := os.Lstat(d.RecipePath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %q", ErrNotFound, name)
	}
	if err != nil {
		return nil, fmt.Errorf("open machine %q: %w", name, err)
	}
	return d, nil
}

// Kept returns the directory that a deleted machine left because its storage was
// kept, so that its disk can be looked at before Create takes it over. It is
// ErrNotFound when nothing was left and ErrExists when name is a machine.
func (s *Store) Kept(name string) (*Dir, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	d := s.dir(name)
	if d.isMachine() {
		return nil, fmt.Errorf("%w: %q", ErrExists, name)
	}
	info, err := os.Stat(d.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%w: nothing kept of %q", ErrNotFound, name)
	}
	if err != nil {
		return nil, fmt.Errorf("open what is kept of %q: %w", name, err)
	}
	return d, nil
}

func (s *Store) dir(name string) *Dir {
	return &Dir{name: name, path: filepath.Join(s.root, name)}
}

// lock serialises the short moments in which names are claimed.
func (s *Store) lock() (unlock func(), err error) {
	if err := os.MkdirAll(s.root, 0o700); err != nil {
		return nil, err
	}
	f, err := openLock(filepath.Join(s.root, storeLockFile))
	if err != nil {
		return nil, err
	}
	if err := flockWait(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// sweep removes machines whose maker died: nobody holds their lock. It runs under the
// store's lock. What cannot be removed (made by another user) is left to a later
// sweep: it is in nobody's way.
func (s *Store) sweep() {
	entries, err := os.ReadDir(s.root)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), creatingPrefix) {
			continue
		}
		path := filepath.Join(s.root, e.Name())
		f, err := openLock(filepath.Join(path, LockFile))
		if err != nil {
			continue
		}
		if flockTry(f) == nil {
			_ = os.RemoveAll(path)
		}
		f.Close()
	}
}
