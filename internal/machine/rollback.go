package machine

import (
	"context"
	"fmt"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
)

// Rollback takes the last Upgrade of a machine back: the image that it ran on before, and,
// without keepDisk, the snapshot of then. The state that it has now is kept as a snapshot,
// whose tag is returned. A machine that ran is started again. ErrPhase where there was no
// upgrade, ErrNoSnapshot where the snapshot is gone.
func (m *Manager) Rollback(ctx context.Context, name string, keepDisk bool, o StartOptions, report Reporter) (kept string, started bool, err error) {
	kept, ran, err := m.rollback(ctx, name, keepDisk, report)
	if err != nil {
		return kept, false, fmt.Errorf("roll %q back: %w", name, err)
	}
	if ran {
		_, err = m.Start(ctx, name, o, report)
	}
	return kept, ran && err == nil, err
}

func (m *Manager) rollback(ctx context.Context, name string, keepDisk bool, report Reporter) (kept string, ran bool, err error) {
	h, unlock, err := m.openLocked(ctx, name, report)
	if err != nil {
		return "", false, err
	}
	defer unlock()
	last, err := m.lastUpgrade(h, keepDisk)
	if err == nil {
		err = h.notEphemeral()
	}
	if err != nil {
		return "", false, err
	}
	// What can be fetched no more is no image to go back to.
	if _, err := m.havePinned(ctx, last.From, report); err != nil {
		return "", false, hint.With(err, "if it came from a file, load it again: vmctl image import FILE")
	}
	if ran, err = m.stopToChange(ctx, h, report); err != nil {
		return "", ran, err
	}
	if keepDisk {
		h.rec.Image, h.rec.Upgrade = last.From, nil
		return "", ran, h.save()
	}
	kept, err = m.restore(ctx, h, last.Snapshot, func(r *record) { r.Image, r.Upgrade = last.From, nil }, report)
	return kept, ran, err
}

// lastUpgrade is what is to be taken back, if it can be.
func (m *Manager) lastUpgrade(h *handle, keepDisk bool) (*upgrade, error) {
	last := h.rec.Upgrade
	if last == nil {
		return nil, hint.With(fmt.Errorf("%w: its image was not upgraded", ErrPhase), "see what can be brought back: vmctl snapshot ls %s", h.name)
	}
	if !keepDisk {
		_, err := h.dir.Snapshot(last.Snapshot)
		return last, hint.With(err, "go back to the image alone: vmctl rollback --keep-disk %s", h.name)
	}
	ref, err := cri.NormalizeReference(h.recipe.Image)
	if err == nil && ref != last.From.Ref {
		err = hint.With(fmt.Errorf("%w: its recipe names another image since, %s", ErrPhase, h.recipe.Image), "change it back: vmctl set %s image=%s", h.name, last.From.Ref)
	}
	return last, err
}
