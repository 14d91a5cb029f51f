package machine

import (
	"context"
	"errors"
	"fmt"

	"vmctl/internal/hint"
)

// beginEphemeral gives the start that is under way a copy of the machine's disks, which goes
// at its end. The record says so before anything is copied: whatever interrupts this, the
// next command that works on the machine takes the copy away.
func (m *Manager) beginEphemeral(ctx context.Context, h *handle, o StartOptions, report Reporter) error {
	h.rec.Transient = o.Ephemeral && (o.transient || h.rec.Transient)
	if !o.Ephemeral {
		return nil
	}
	if err := h.noDevices("copy"); err != nil {
		return err
	}
	state := h.all()
	h.rec.Ephemeral = true
	if err := h.save(); err != nil {
		return err
	}
	var shared bool
	var size int64
	err := m.owning(ctx, h.dir, report, func() (err error) {
		size, shared, err = state.MakeEphemeral(ctx, copying(report))
		return err
	})
	if err == nil && !shared && size >= worthTelling {
		report.note("its disks were copied, as this file system cannot share blocks; btrfs and xfs can, which takes a moment and no space")
	}
	return err
}

// worthTelling is how many bytes a copy has that is felt.
const worthTelling = 1 << 30

// dropEphemeral takes the copy of an ephemeral run away. Nothing runs on it.
func (m *Manager) dropEphemeral(ctx context.Context, h *handle, report Reporter) error {
	if !h.rec.Ephemeral {
		return nil
	}
	if err := m.owning(ctx, h.dir, report, h.dir.DropEphemeral); err != nil {
		return err
	}
	h.rec.Ephemeral = false
	if err := h.save(); err != nil {
		return err
	}
	return freshLog(h.dir.LogsPath()) // the last one speaks of another disk
}

// endEphemeral is dropEphemeral at a stop: a machine that was made for its run alone goes
// with it, and then gone is true.
func (m *Manager) endEphemeral(ctx context.Context, h *handle, report Reporter) (gone bool, err error) {
	if !h.rec.Ephemeral {
		return false, nil
	}
	if err := m.dropEphemeral(ctx, h, report); err != nil || !h.rec.Transient {
		return false, err
	}
	m.endForwards(ctx, h.rec.UID)
	_, err = h.dir.Remove(true)
	return true, err
}

// failEphemeral takes the copy of a start away that went wrong, unless something of it may
// still run: then the next command does.
func (m *Manager) failEphemeral(ctx context.Context, h *handle, cause error, report Reporter) error {
	if !h.rec.Ephemeral {
		return cause
	}
	ctx, cancel := detach(ctx, cleanupTime)
	defer cancel()
	if s, err := m.survey(ctx); err != nil || len(s.of(h.rec.UID)) > 0 {
		return cause
	}
	return errors.Join(cause, m.dropEphemeral(ctx, h, report))
}

// sweepEphemeral takes away what is left of ephemeral runs whose pod is gone, as after a
// reboot. What is busy, or cannot be removed, is left to the next command.
func (m *Manager) sweepEphemeral(ctx context.Context, name string) {
	dir, err := m.Store.Open(name)
	if err != nil || !dir.HasEphemeral() {
		return
	}
	unlock, err := dir.TryLock()
	if err != nil {
		return
	}
	defer unlock()
	h, err := m.open(name)
	if err != nil {
		return
	}
	s, err := m.survey(ctx)
	if err != nil || len(s.of(h.rec.UID)) > 0 || m.elsewhere(h, s) != nil {
		return
	}
	if err := m.stopHandle(ctx, h, s, StopOptions{}, nil); err != nil {
		m.log().Warn("what an ephemeral run has left was not removed", "machine", name, "error", err)
	}
}

// notEphemeral refuses what would begin anew from the machine's own disks.
func (h *handle) notEphemeral() error {
	if !h.rec.Ephemeral {
		return nil
	}
	return hint.With(fmt.Errorf("%w: it runs on a copy of its disks, which goes when it stops", ErrPhase), "stop it first: vmctl stop %s", h.name)
}
