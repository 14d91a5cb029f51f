package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// Create makes the machine's directory and freezes the recipe in it. Nothing runs
// yet, and the runtime is not asked. A name in use is ErrExists; host paths that
// the recipe names and that are not there are recipe.Problems.
//
// Where a deleted machine of this name left its disk, the new one takes it over,
// unless the image would then reinstall: that is ErrGuard.
func (m *Manager) Create(ctx context.Context, name string, r *recipe.Recipe) (Machine, error) {
	if err := m.create(name, r); err != nil {
		if errors.Is(err, ErrExists) {
			err = hint.With(err, "start it with: vmctl start %s", name)
		}
		return Machine{}, fmt.Errorf("create %q: %w", name, err)
	}
	h, err := m.open(name)
	if err != nil {
		return Machine{}, err
	}
	return m.describe(h), nil
}

func (m *Manager) create(name string, r *recipe.Recipe) error {
	if err := r.CheckPaths(); err != nil {
		return err
	}
	rec := newRecord(r, time.Now().UTC())
	if err := m.takeOver(name, &rec); err != nil {
		return err
	}
	frozen, err := r.Marshal()
	if err != nil {
		return err
	}
	_, err = m.Store.Create(name, func(d *storage.Dir) error {
		if err := d.WriteJSON(storage.StateFile, rec); err != nil {
			return err
		}
		return d.WriteRecipe(frozen)
	})
	return err
}

// takeOver gives the new record what the record of a deleted machine knows about
// the disk that was kept.
func (m *Manager) takeOver(name string, rec *record) error {
	kept, err := m.Store.Kept(name)
	if err != nil {
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	}
	var old record
	err = kept.ReadJSON(storage.StateFile, &old)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the disk was put there by hand: the guard will look at it
	}
	if err != nil {
		return fmt.Errorf("%w: what is known of the kept disk cannot be read: %w", ErrGuard, err)
	}
	if old.Identity != rec.Identity {
		err := fmt.Errorf("%w: a disk of a deleted machine is kept in %s, made with %q and not with %q; the image would install anew",
			ErrGuard, kept.StoragePath(), old.Identity, rec.Identity)
		return hint.With(err, "use another name, or move that directory away")
	}
	rec.UID, rec.InstalledAt, rec.Ports, rec.Image = old.UID, old.InstalledAt, old.Ports, old.Image
	return nil
}
