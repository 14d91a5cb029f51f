package machine

import (
	"context"
	"errors"
	"fmt"

	"vmctl/internal/hint"
	"vmctl/internal/storage"
)

// atRest makes sure that nothing runs on the machine's disks, here or anywhere: what is
// copied or moved while a guest writes is no disk. The lock is held. A machine that is up
// is ErrPhase.
func (m *Manager) atRest(ctx context.Context, h *handle) error {
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	if err := m.elsewhere(h, s); err != nil {
		return err
	}
	if err := refuseLive(s.of(h.rec.UID), false); err != nil {
		return hint.With(errors.Unwrap(err), "stop it first: vmctl stop %s", h.name)
	}
	if err := m.dropEphemeral(ctx, h, nil); err != nil {
		return err
	}
	if err := diskInUse(h, s); err != nil {
		return err
	}
	if err := diskLocked(h); err != nil {
		return err
	}
	if err := m.claimDisks(ctx, h, nil); err != nil {
		return err
	}
	return h.unclaim()
}

// diskLocked refuses where a QEMU that the runtime does not show, such as another user's
// or another runtime's, has the disk.
func diskLocked(h *handle) error {
	for _, path := range append(h.diskPaths(), h.storagePath()) {
		file, err := storage.LockedFile(path)
		if err != nil {
			return err
		}
		if file != "" {
			return hint.With(fmt.Errorf("%w: %s is locked: a guest runs on it", ErrPhase, file), "see who has it with: sudo fuser -v %s", file)
		}
	}
	return nil
}

// ownDisks refuses, for what is to be done with the machine as a whole, where a disk is
// elsewhere than in the machine's directory.
func (h *handle) ownDisks(what string) error {
	if p := h.recipe.Storage.Path; p != "" {
		return fmt.Errorf("%w: its disk is in %s, where the recipe put it; vmctl can %s only what is in the machine's own directory", ErrPhase, p, what)
	}
	for _, k := range h.recipe.Disks {
		if where := either(k.Path, k.Device); where != "" {
			err := fmt.Errorf("%w: its disk %q is %s; vmctl can %s only what is in the machine's own directory", ErrPhase, k.Name, where, what)
			return hint.With(err, "take it out first: vmctl unset %s disks.%s", h.name, k.Name)
		}
	}
	return nil
}
