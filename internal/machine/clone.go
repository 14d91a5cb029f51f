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

// Clone makes the machine called to, a copy of one that is stopped: same recipe and disks,
// but a uid, a host name and so a MAC address of its own, and for macOS a serial number.
// What the guest itself knows (a Windows SID, its computer name) is copied as it is. A name
// in use is ErrExists; when ctx ends nothing of the copy stays.
func (m *Manager) Clone(ctx context.Context, name, to string, report Reporter) (Machine, error) {
	err := m.atRestDo(ctx, name, "clone", report, func(h *handle) error {
		if err := m.nameFree(to); err != nil {
			return err
		}
		m.keepEvidence(h)
		rec := newRecord(h.recipe, time.Now().UTC())
		rec.Recipe, rec.Identity, rec.InstalledAt, rec.Image = h.rec.Recipe, h.rec.Identity, h.rec.InstalledAt, h.rec.Image
		frozen, err := h.dir.ReadRecipe()
		home, moved := atHome(h.recipe)
		if moved && err == nil {
			frozen, err = home.Marshal()
		}
		if err != nil {
			return err
		}
		_, err = m.Store.Create(to, func(d *storage.Dir) error {
			if err := d.CopyState(ctx, h.all(), copying(report)); err != nil {
				return err
			}
			return errors.Join(d.RemoveFiles(h.recipe.Contract().OwnFiles), d.WriteJSON(storage.StateFile, rec), d.WriteRecipe(frozen))
		})
		if err == nil && moved {
			report.note("the disks of the copy are in its own directory")
		}
		if err == nil {
			notePorts(h.recipe, name, to, report)
		}
		return err
	})
	if err != nil {
		return Machine{}, err
	}
	h, err := m.open(to)
	if err != nil {
		return Machine{}, err
	}
	return m.describe(h), nil
}

// nameFree refuses a name that a machine has, or of which a deleted one left something.
func (m *Manager) nameFree(name string) error {
	kept, err := m.Store.Kept(name)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err == nil:
		return hint.With(fmt.Errorf("%w: a deleted machine %q left its disk in %s", ErrExists, name, kept.Path()), "use another name, or move that directory away")
	}
	return err
}

// notePorts tells of host ports that only one of two machines can have.
func notePorts(r *recipe.Recipe, name, to string, report Reporter) {
	for _, p := range r.Ports {
		if p.Host.Mode == recipe.HostPortExact {
			report.note(fmt.Sprintf("both want host port %d for %s, and cannot be up together; change one: vmctl set %s ports.%s.host=any", p.Host.Number, name, to, p.Name))
		}
	}
}

// Rename gives a machine that is stopped another name. Its uid, disks, snapshots and ports
// stay. A name in use is ErrExists.
func (m *Manager) Rename(ctx context.Context, name, to string, report Reporter) error {
	h, unlock, err := m.openLocked(ctx, name, report)
	if err != nil {
		return fmt.Errorf("rename %q: %w", name, err)
	}
	defer unlock()
	if err := m.rename(ctx, h, to, report); err != nil {
		return fmt.Errorf("rename %q: %w", name, err)
	}
	return nil
}

func (m *Manager) rename(ctx context.Context, h *handle, to string, report Reporter) error {
	if err := storage.ValidName(to); err != nil {
		return err
	}
	if err := m.nameFree(to); err != nil {
		return err
	}
	if err := m.atRest(ctx, h); err != nil {
		return err
	}
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	// A sandbox that is left of a guest that ended by itself bears the old name.
	if err := m.stopHandle(ctx, h, s, StopOptions{}, report); err != nil {
		return err
	}
	_, err = m.Store.Rename(h.name, to)
	return err
}
