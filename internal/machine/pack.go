package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// ErrPack says that what is unpacked is no packed machine, or a damaged one.
var ErrPack = storage.ErrPack

// Pack writes a machine that is stopped to w: recipe, disks, and what is known of them, with
// checksums. Its snapshots stay behind.
func (m *Manager) Pack(ctx context.Context, name string, w io.Writer, report Reporter) error {
	return m.atRestDo(ctx, name, "pack", report, func(h *handle) error {
		m.keepEvidence(h)
		if err := h.save(); err != nil {
			return err
		}
		return h.all().Pack(ctx, w, time.Now(), copying(report))
	})
}

// Unpack makes a machine of what Pack wrote; an empty name is the one that it had. It gets a
// uid of its own. Its MAC address stays, as of a machine that has moved, unless the one that
// was packed is still among this user's. A name in use is ErrExists, what is damaged
// ErrPack; then, and when ctx ends, nothing of it stays. The runtime is not asked.
func (m *Manager) Unpack(ctx context.Context, r io.Reader, name string, report Reporter) (Machine, error) {
	u, err := storage.OpenPack(r)
	if err != nil {
		return Machine{}, fmt.Errorf("unpack: %w", err)
	}
	defer u.Close()
	name = either(name, u.Info.Name)
	if err := m.unpack(ctx, u, name, report); err != nil {
		return Machine{}, fmt.Errorf("unpack %q: %w", name, err)
	}
	h, err := m.open(name)
	if err != nil {
		return Machine{}, err
	}
	notePowers(name, h.recipe, report)
	return m.describe(h), nil
}

func (m *Manager) unpack(ctx context.Context, u *storage.Unpacker, name string, report Reporter) error {
	if err := storage.ValidName(name); err != nil {
		return err
	}
	if err := m.nameFree(name); err != nil {
		return err
	}
	_, err := m.Store.Create(name, func(d *storage.Dir) error {
		if err := u.Into(ctx, d, copying(report)); err != nil {
			return err
		}
		return m.adoptPacked(d, report)
	})
	return err
}

// adoptPacked makes a machine of this user of unpacked files.
func (m *Manager) adoptPacked(d *storage.Dir, report Reporter) error {
	data, err := d.ReadRecipe()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPack, err)
	}
	r, err := recipe.Parse(data, d.RecipePath())
	if err != nil {
		return err
	}
	var was record
	if err := d.ReadJSON(storage.StateFile, &was); err != nil {
		return fmt.Errorf("%w: %w", ErrPack, err)
	}
	if err := (&handle{name: d.Name(), dir: d, recipe: r}).noDevices("unpack"); err != nil {
		return err
	}
	if home, changed := atHome(r); changed {
		report.note("its disks were elsewhere; here they are in its own directory")
		if data, err = home.Marshal(); err == nil {
			err = d.WriteRecipe(data)
		}
		if err != nil {
			return err
		}
	}
	rec := newRecord(r, time.Now().UTC())
	rec.Recipe, rec.Identity, rec.InstalledAt, rec.Ports, rec.Image = was.Recipe, was.Identity, was.InstalledAt, was.Ports, was.Image
	own, err := m.ownNames()
	if err != nil {
		return err
	}
	if other, here := own[was.UID]; here {
		report.note(fmt.Sprintf("machine %q, of which this is a copy, is here too: the copy gets a MAC address of its own", other))
		err = d.RemoveFiles(r.Contract().OwnFiles)
	}
	return errors.Join(err, d.WriteJSON(storage.StateFile, rec))
}

// CheckPack reads all of what Pack wrote and looks at its checksums, and makes nothing.
func CheckPack(ctx context.Context, r io.Reader, report Reporter) (storage.PackInfo, error) {
	u, err := storage.OpenPack(r)
	if err != nil {
		return storage.PackInfo{}, err
	}
	defer u.Close()
	return u.Info, u.Into(ctx, nil, copying(report))
}

// notePowers tells what a recipe that came with a machine can do to this host.
func notePowers(name string, r *recipe.Recipe, report Reporter) {
	for _, mount := range r.Mounts {
		report.note("its recipe shows " + mount.Source + " of this host to the guest; take it out with: vmctl unset " + name + " mounts." + mount.Target)
	}
	names := []string{}
	for variable, s := range r.Secrets {
		if len(s.Command) > 0 {
			names = append(names, variable)
		}
	}
	slices.Sort(names)
	for _, variable := range names {
		report.note(fmt.Sprintf("its recipe runs a program of this host for %s at each start: %q", variable, r.Secrets[variable].Command))
	}
}
