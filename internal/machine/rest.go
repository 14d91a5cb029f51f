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
