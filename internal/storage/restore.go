package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// restoration is RestoreFile: a restore that has all it needs and is to be finished. The
// folders are names in SnapshotsDir.
type restoration struct {
	From string `json:"from"` // holds the state to come
	Keep string `json:"keep"` // takes the state that was
	Tag  string `json:"tag"`  // what Keep becomes
}

// RestoreSnapshot puts the state of the snapshot tag in the place of the machine's: storage,
// further disks, with a recipe, and state as the new StateFile. What was there becomes the snapshot
// keep, without a copy. The snapshot itself stays. The caller holds the lock and has made
// sure that nothing runs on the storage.
//
// Until all of the new state is there the machine is as it was, after an error, ctx's
// included, and after a crash. From then on the restore is finished: here, or by Recover.
func (d *Dir) RestoreSnapshot(ctx context.Context, tag string, keep Snapshot, recipe []byte, state any, progress CopyProgress) error {
	if _, err := d.Snapshot(tag); err != nil {
		return err
	}
	err := d.restoreSnapshot(ctx, tag, keep, recipe, state, progress)
	if err != nil {
		return fmt.Errorf("restore snapshot %q of machine %q: %w", tag, d.name, err)
	}
	return nil
}

func (d *Dir) restoreSnapshot(ctx context.Context, tag string, keep Snapshot, recipe []byte, state any, progress CopyProgress) error {
	r, err := d.prepareRestore(ctx, tag, keep, recipe, state, progress)
	if err != nil {
		d.sweepSnapshots()
		return err
	}
	data, err := json.Marshal(r)
	if err == nil {
		err = writeFile(d.restorePath(), data)
	}
	if err != nil {
		return err
	}
	return d.Recover()
}

func (d *Dir) restorePath() string { return filepath.Join(d.path, RestoreFile) }

// prepareRestore builds the state to come, and the folder for the state that was.
func (d *Dir) prepareRestore(ctx context.Context, tag string, keep Snapshot, recipe []byte, state any, progress CopyProgress) (r restoration, err error) {
	to, err := d.hiddenSnapshot(makingPattern, keep.Tag)
	if err != nil {
		return r, err
	}
	was := &treeCopy{}
	if _, err := was.measure(d.name, placesIn(d.path)); err == nil {
		keep.Size = was.total
	}
	if err := d.completeSnapshot(to, keep); err != nil {
		return r, err
	}
	from, err := os.MkdirTemp(d.SnapshotsPath(), restoringPattern)
	if err != nil {
		return r, err
	}
	if _, _, err := copyPlaces(ctx, d.name, placesIn(d.snapshotPath(tag)), from, progress); err != nil {
		return r, err
	}
	stateData, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return r, err
	}
	err = errors.Join(writeFile(filepath.Join(from, RecipeFile), recipe), writeFile(filepath.Join(from, StateFile), append(stateData, '\n')))
	return restoration{From: filepath.Base(from), Keep: filepath.Base(to), Tag: keep.Tag}, err
}

// Recover finishes what a command that died has left in the machine's directory: a restore
// that had begun to move things is completed, half-made copies and files are removed. The
// caller holds the lock.
func (d *Dir) Recover() error {
	if half, err := filepath.Glob(filepath.Join(d.path, tempPattern)); err == nil {
		for _, path := range half {
			_ = os.Remove(path)
		}
	}
	data, err := os.ReadFile(d.restorePath())
	if errors.Is(err, fs.ErrNotExist) {
		d.sweepSnapshots()
		return nil
	}
	var r restoration
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	for _, step := range d.restoreSteps(r) {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		return fmt.Errorf("finish a restore of machine %q: %w", d.name, err)
	}
	d.sweepSnapshots()
	return nil
}

// restoreSteps are the moves of a restore, in their order. Each may be done again: a crash
// may come before, in the middle of, and after any of them.
func (d *Dir) restoreSteps(r restoration) []func() error {
	from, keep := d.snapshotPath(r.From), d.snapshotPath(r.Keep)
	var steps []func() error
	for _, folder := range stateFolders() {
		steps = append(steps, func() error {
			return exchange(filepath.Join(from, folder), filepath.Join(d.path, folder), filepath.Join(keep, folder))
		})
	}
	for _, file := range []string{StateFile, RecipeFile} {
		steps = append(steps, func() error { return moveIfThere(filepath.Join(from, file), filepath.Join(d.path, file)) })
	}
	return append(steps,
		func() error { return errors.Join(syncDir(d.path), syncIfThere(keep)) },
		func() error { return moveIfThere(keep, d.snapshotPath(r.Tag)) },
		func() error { return syncDir(d.SnapshotsPath()) },
		func() error { return os.Remove(d.restorePath()) },
		func() error { return syncDir(d.path) })
}

// exchange moves the folder live to keep, and next to live. Where next is gone, both are
// done.
func exchange(next, live, keep string) error {
	if _, err := os.Lstat(next); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := RenameNew(live, keep)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return RenameNew(next, live)
}

func moveIfThere(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func syncIfThere(path string) error {
	err := syncDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// sweepSnapshots removes what is under a hidden name among the snapshots: its maker died.
// What cannot be removed is in nobody's way, and is left to a later sweep.
func (d *Dir) sweepSnapshots() {
	entries, err := os.ReadDir(d.SnapshotsPath())
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			_ = os.RemoveAll(d.snapshotPath(e.Name()))
		}
	}
	_ = os.Remove(d.SnapshotsPath()) // only if there is none left
}
