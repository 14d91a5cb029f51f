package machine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// tagTime is how a snapshot is called that was given no name.
const tagTime = "2006-01-02-150405"

// Snapshot copies the state of a machine that is stopped: its whole storage with firmware
// variables and TPM, its further disks, its recipe, and what is known of the disk. An
// empty tag is the time. A machine that is up is ErrPhase, a tag in use fs.ErrExist; when
// ctx ends nothing of the copy stays.
func (m *Manager) Snapshot(ctx context.Context, name, tag string, report Reporter) (storage.Snapshot, error) {
	var out storage.Snapshot
	err := m.atRestDo(ctx, name, "snapshot", report, func(h *handle) (err error) {
		now := time.Now()
		out, err = m.snapshot(ctx, h, storage.Snapshot{Tag: either(tag, freeTag(h.dir, now.Format(tagTime))), CreatedAt: now.UTC()}, report)
		return err
	})
	return out, err
}

// snapshot copies the state of a machine whose lock is held and whose disks are at rest.
func (m *Manager) snapshot(ctx context.Context, h *handle, s storage.Snapshot, report Reporter) (out storage.Snapshot, err error) {
	m.keepEvidence(h)
	if err := h.save(); err != nil {
		return s, err
	}
	err = m.owning(ctx, h.dir, report, func() (err error) {
		out, err = h.all().TakeSnapshot(ctx, s, copying(report))
		return err
	})
	return out, err
}

// RestoreSnapshot puts a machine back into the state of a snapshot, its recipe and disks.
// The state that it had is kept as a snapshot too, whose tag is returned. When ctx ends,
// or the process, the machine is as it was, or restored.
func (m *Manager) RestoreSnapshot(ctx context.Context, name, tag string, report Reporter) (kept string, err error) {
	err = m.atRestDo(ctx, name, "restore", report, func(h *handle) error {
		kept, err = m.restore(ctx, h, tag, func(*record) {}, report)
		return err
	})
	return kept, err
}

// restore puts a machine whose lock is held and whose disks are at rest back into the state
// of a snapshot. change makes the record that it then has.
func (m *Manager) restore(ctx context.Context, h *handle, tag string, change func(*record), report Reporter) (kept string, err error) {
	now := time.Now()
	kept = freeTag(h.dir, "before-"+now.Format(tagTime))
	from, err := h.dir.Snapshot(tag)
	if err != nil {
		return kept, hint.With(err, "see the snapshots with: vmctl snapshot ls %s", h.name)
	}
	m.keepEvidence(h)
	if err := h.save(); err != nil {
		return kept, err
	}
	var was record
	if err := h.dir.ReadSnapshotJSON(tag, &was); err != nil {
		return kept, err
	}
	back, moved, err := h.snapshotRecipe(from)
	if err != nil {
		return kept, err
	}
	state := h.rec
	state.Recipe, state.Identity, state.InstalledAt = was.Recipe, was.Identity, was.InstalledAt
	change(&state)
	keep := storage.Snapshot{Tag: kept, CreatedAt: now.UTC(), Note: "before the restore of " + tag, Outside: len(h.elsewhereFolders()) > 0}
	err = m.owning(ctx, h.dir, report, func() error { return h.dir.RestoreSnapshot(ctx, tag, keep, back, state, copying(report)) })
	if err != nil {
		return kept, err
	}
	if moved {
		report.note("its disks are in its own directory now; what is elsewhere stays as it was")
	}
	if from.Outside { // from now on the machine changes what it stands for
		err = h.dir.DeleteSnapshot(tag)
	}
	return kept, errors.Join(err, freshLog(h.dir.LogsPath())) // the last one speaks of another disk
}

// snapshotRecipe is the recipe for a machine that is brought back to a snapshot. Disks that
// were elsewhere when it was taken come back into the machine's own directory: what is there
// now is the state that the restore replaces, and stays.
func (h *handle) snapshotRecipe(s storage.Snapshot) (data []byte, moved bool, err error) {
	data, err = h.dir.ReadSnapshotRecipe(s.Tag)
	if err != nil || s.Outside {
		return data, false, err
	}
	r, err := recipe.Parse(data, h.dir.RecipePath())
	if err != nil {
		return nil, false, err
	}
	home, moved := atHome(r)
	if moved {
		data, err = home.Marshal()
	}
	return data, moved, err
}

// freeTag is a tag that no snapshot has: this one, or with a number behind it.
func freeTag(dir *storage.Dir, tag string) string {
	free := tag
	for n := 2; ; n++ {
		if _, err := dir.Snapshot(free); err != nil {
			return free
		}
		free = fmt.Sprintf("%s.%d", tag, n)
	}
}

// Snapshots returns the snapshots of a machine, the oldest first. The runtime is not asked.
func (m *Manager) Snapshots(name string) ([]storage.Snapshot, error) {
	dir, err := m.Store.Open(name)
	if err != nil {
		return nil, hint.With(err, "see the machines with: vmctl ls")
	}
	return dir.Snapshots()
}

// DeleteSnapshot removes a snapshot of a machine, which may be up. The runtime may be nil; it
// is only needed where a container's root owns what is in the snapshot.
func (m *Manager) DeleteSnapshot(ctx context.Context, name, tag string, report Reporter) error {
	h, unlock, err := m.openLocked(ctx, name, report)
	if err != nil {
		return fmt.Errorf("delete a snapshot of %q: %w", name, err)
	}
	defer unlock()
	return hint.With(m.deleteSnapshot(ctx, h, tag, report), "see the snapshots with: vmctl snapshot ls %s", name)
}

// deleteSnapshot removes a snapshot. What of it is another user's has lost its name by then,
// and is swept once it is this one's.
func (m *Manager) deleteSnapshot(ctx context.Context, h *handle, tag string, report Reporter) error {
	try := func() error { return h.dir.DeleteSnapshot(tag) }
	return m.owning(ctx, h.dir, report, func() error {
		err := try()
		try = h.dir.Recover
		return err
	})
}

// atRestDo does something with a whole machine that is stopped, and holds its lock.
func (m *Manager) atRestDo(ctx context.Context, name, what string, report Reporter, do func(*handle) error) error {
	h, unlock, err := m.openLocked(ctx, name, report)
	if err != nil {
		return fmt.Errorf("%s %q: %w", what, name, err)
	}
	defer unlock()
	err = h.noDevices(what)
	if err == nil {
		err = m.atRest(ctx, h)
	}
	if err == nil {
		err = m.owning(ctx, h.dir, report, func() error { return do(h) })
	}
	if err != nil {
		return fmt.Errorf("%s %q: %w", what, name, err)
	}
	return nil
}

// copying reports how far a copy is, in whole percents: a disk has many extents.
func copying(report Reporter) storage.CopyProgress {
	last := int64(-1)
	return func(done, total int64) {
		if total > 0 && done*100/total != last {
			last = done * 100 / total
			report.report(Progress{Stage: StageCopy, Text: "the machine's disks", Done: done, Total: total, Percent: -1})
		}
	}
}
