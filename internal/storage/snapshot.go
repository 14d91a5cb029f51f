package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Snapshot is what is known of a copy of a machine's state.
type Snapshot struct {
	Tag       string    `json:"tag"`
	CreatedAt time.Time `json:"created_at"`
	Note      string    `json:"note,omitempty"` // why it was taken
	// Size is the host bytes that the copied files took; Shared says that the file
	// system shared the blocks, so that only what is written since takes space.
	// Outside says that disks which the recipe put elsewhere are there still, and not in it.
	Outside bool  `json:"outside,omitempty"`
	Size    int64 `json:"size"`
	Shared  bool  `json:"shared"`
}

const maxTag = 64

var validTag = regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`)

// ValidTag reports, as ErrInvalidName, why tag cannot name a snapshot: it must be at most
// 64 lower-case letters, digits and inner hyphens and dots.
func ValidTag(tag string) error {
	if len(tag) > maxTag || !validTag.MatchString(tag) {
		return fmt.Errorf("%w: snapshot %q: use at most %d lower-case letters, digits and inner hyphens and dots", ErrInvalidName, tag, maxTag)
	}
	return nil
}

// stateFolders are what a snapshot holds copies of.
func stateFolders() []string { return []string{StorageDir, DisksDir} }

func (d *Dir) snapshotPath(tag string) string { return filepath.Join(d.SnapshotsPath(), tag) }

// Snapshots returns the snapshots, the oldest first.
func (d *Dir) Snapshots() ([]Snapshot, error) {
	entries, err := os.ReadDir(d.SnapshotsPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list snapshots of machine %q: %w", d.name, err)
	}
	var out []Snapshot
	for _, e := range entries {
		if ValidTag(e.Name()) != nil {
			continue
		}
		s, err := readSnapshot(d.snapshotPath(e.Name()))
		if err != nil {
			return nil, fmt.Errorf("list snapshots of machine %q: %w", d.name, err)
		}
		s.Tag = e.Name()
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Snapshot) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.Tag, b.Tag)
	})
	return out, nil
}

// Snapshot returns the one of that tag, or ErrNoSnapshot.
func (d *Dir) Snapshot(tag string) (Snapshot, error) {
	if err := ValidTag(tag); err != nil {
		return Snapshot{}, err
	}
	s, err := readSnapshot(d.snapshotPath(tag))
	s.Tag = tag
	if errors.Is(err, fs.ErrNotExist) {
		return Snapshot{}, fmt.Errorf("%w: %q of machine %q", ErrNoSnapshot, tag, d.name)
	}
	return s, err
}

func readSnapshot(folder string) (Snapshot, error) {
	var s Snapshot
	data, err := os.ReadFile(filepath.Join(folder, SnapshotFile))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	return s, err
}

// TakeSnapshot copies the machine's state under the tag of s; its other fields but Size and
// Shared are kept as they are. The caller holds the lock and has made sure that nothing
// runs on the storage. A tag in use is fs.ErrExist. After an error, ctx's included, nothing
// of the copy stays.
func (d *Dir) TakeSnapshot(ctx context.Context, s Snapshot, progress CopyProgress) (Snapshot, error) {
	hidden, err := d.hiddenSnapshot(makingPattern, s.Tag)
	if err != nil {
		return s, err
	}
	err = func() error {
		places, err := d.places()
		if err != nil {
			return err
		}
		if s.Size, s.Shared, err = copyPlaces(ctx, d.name, places, hidden, progress); err != nil {
			return err
		}
		return d.completeSnapshot(hidden, s)
	}()
	if err == nil {
		err = RenameNew(hidden, d.snapshotPath(s.Tag))
	}
	if err != nil {
		return s, errors.Join(fmt.Errorf("snapshot %q of machine %q: %w", s.Tag, d.name, err), os.RemoveAll(hidden))
	}
	return s, syncDir(d.SnapshotsPath())
}

// hiddenSnapshot makes the folder in which a snapshot called tag is built.
func (d *Dir) hiddenSnapshot(pattern, tag string) (string, error) {
	if err := ValidTag(tag); err != nil {
		return "", err
	}
	if err := os.MkdirAll(d.SnapshotsPath(), 0o700); err != nil {
		return "", err
	}
	if _, err := os.Lstat(d.snapshotPath(tag)); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("snapshot %q of machine %q: %w", tag, d.name, fs.ErrExist)
	}
	return os.MkdirTemp(d.SnapshotsPath(), pattern)
}

// completeSnapshot puts the files beside the copied folders, SnapshotFile last.
func (d *Dir) completeSnapshot(folder string, s Snapshot) error {
	for _, name := range []string{RecipeFile, StateFile} {
		data, err := os.ReadFile(filepath.Join(d.path, name))
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(folder, name), data); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, SnapshotFile), append(data, '\n'))
}

// ReadSnapshotRecipe returns the recipe that a snapshot keeps.
func (d *Dir) ReadSnapshotRecipe(tag string) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.snapshotPath(tag), RecipeFile))
}

// ReadSnapshotJSON decodes the state file (StateFile) that a snapshot keeps into v.
func (d *Dir) ReadSnapshotJSON(tag string, v any) error {
	data, err := os.ReadFile(filepath.Join(d.snapshotPath(tag), StateFile))
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return fmt.Errorf("read %s of snapshot %q: %w", StateFile, tag, err)
	}
	return nil
}

// DeleteSnapshot removes a snapshot, all at once to anybody who looks. ErrNoSnapshot where
// there is none; a *DeniedError names what is another user's and is left.
func (d *Dir) DeleteSnapshot(tag string) error {
	if _, err := d.Snapshot(tag); err != nil {
		return err
	}
	gone, err := os.MkdirTemp(d.SnapshotsPath(), deletingPattern)
	if err != nil {
		return err
	}
	if err := os.Rename(d.snapshotPath(tag), filepath.Join(gone, tag)); err != nil {
		return errors.Join(err, os.Remove(gone))
	}
	if err := errors.Join(os.RemoveAll(gone), syncDir(d.SnapshotsPath())); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return &DeniedError{Name: d.name, Paths: []string{gone}}
		}
		return fmt.Errorf("delete snapshot %q of machine %q: %w", tag, d.name, err)
	}
	return nil
}
