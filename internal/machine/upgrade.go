package machine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/storage"
)

// Upgraded is what Upgrade has found and done.
type Upgraded struct {
	Newer    bool   // the tag means another image than the machine runs on
	From, To string // the beginnings of their digests
	Snapshot string // the tag of the state before it
	Started  bool   // the machine runs, on the new one
}

// upgrade is the last upgrade of a machine, for Rollback.
type upgrade struct {
	From     imagePin `json:"from"`
	Snapshot string   `json:"snapshot"`
}

// Upgrade fetches the newest image of a machine's tag. Where that is the one that the machine
// runs on, or check is set, nothing else is done. Else the machine is shut down, kept as a
// snapshot, changed over, and started again if it ran. Whatever interrupts that, the machine
// is afterwards on its old image, or on the new one with a snapshot of before.
func (m *Manager) Upgrade(ctx context.Context, name string, check bool, o StartOptions, report Reporter) (Upgraded, error) {
	ran, result, err := m.upgrade(ctx, name, check, report)
	switch {
	case err != nil && ran && ctx.Err() == nil: // as it was
		if _, startErr := m.Start(ctx, name, StartOptions{Wait: UntilRunning}, report); startErr != nil {
			report.note("it is not started again: " + startErr.Error())
		}
	case err == nil && ran && result.Newer && !check:
		if _, err := m.Start(ctx, name, o, report); err != nil {
			return result, hint.With(fmt.Errorf("upgraded from %s to %s: %w", result.From, result.To, err), "go back to what it was: vmctl rollback %s", name)
		}
		result.Started = true
	}
	if err != nil {
		return result, fmt.Errorf("upgrade %q: %w", name, err)
	}
	return result, nil
}

// upgrade changes the image of a machine. It reports whether the machine ran and does not
// any more.
func (m *Manager) upgrade(ctx context.Context, name string, check bool, report Reporter) (stopped bool, out Upgraded, err error) {
	h, unlock, err := m.openLocked(ctx, name, report)
	if err != nil {
		return false, out, err
	}
	defer unlock()
	if err := h.notEphemeral(); err != nil {
		return false, out, err
	}
	newest, err := m.newest(ctx, h, report)
	if err != nil {
		return false, out, err
	}
	was := h.rec.Image
	out = Upgraded{Newer: !was.same(newest), From: was.String(), To: newest.String()}
	if !out.Newer {
		h.rec.Image = newest // with its digest, where it was imported before
		return false, out, h.save()
	}
	if check {
		return false, out, nil
	}
	if err := h.noDevices("upgrade"); err != nil {
		return false, out, err
	}
	if stopped, err = m.stopToChange(ctx, h, report); err != nil {
		return stopped, out, err
	}
	now := time.Now()
	taken, err := m.snapshot(ctx, h, storage.Snapshot{Tag: freeTag(h.dir, "before-upgrade-"+now.Format(tagTime)), CreatedAt: now.UTC(),
		Note: fmt.Sprintf("before the upgrade of the image from %s to %s", was, newest)}, report)
	if err != nil {
		return stopped, out, err
	}
	out.Snapshot = taken.Tag
	h.rec.Image, h.rec.Upgrade = newest, &upgrade{From: was, Snapshot: taken.Tag}
	return stopped, out, h.save()
}

// newest pulls what a machine's tag means now. Before that it notes what the machine runs on,
// where an earlier vmctl did not.
func (m *Manager) newest(ctx context.Context, h *handle, report Reporter) (imagePin, error) {
	ref, err := cri.NormalizeReference(h.recipe.Image)
	if err != nil {
		return imagePin{}, err
	}
	if strings.Contains(ref, "@") {
		err := fmt.Errorf("%w: its recipe asks for one image and no other: %s", ErrPhase, h.recipe.Image)
		return imagePin{}, hint.With(err, "name a tag: vmctl set %s image=NAME:TAG", h.name)
	}
	if h.rec.Image.Ref != ref {
		if _, err := m.machineImage(ctx, h, report); err != nil {
			return imagePin{}, err
		}
		if err := h.save(); err != nil {
			return imagePin{}, err
		}
	}
	if !local(ref) {
		if err := m.Pull(ctx, ref, report); err != nil {
			return imagePin{}, err
		}
	}
	image, err := m.Runtime.Image(ctx, ref)
	return pinOf(ref, image), err
}

// stopToChange shuts a machine down, and makes sure that nothing runs on its disks. It
// reports whether the machine ran.
func (m *Manager) stopToChange(ctx context.Context, h *handle, report Reporter) (ran bool, err error) {
	s, err := m.survey(ctx)
	if err != nil {
		return false, err
	}
	if err := m.elsewhere(h, s); err != nil {
		return false, err
	}
	ran = refuseLive(s.of(h.rec.UID), false) != nil
	if err := m.stopHandle(ctx, h, s, StopOptions{}, report); err != nil {
		return false, err // it goes on
	}
	return ran, m.atRest(ctx, h)
}
