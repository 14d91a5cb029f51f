package machine

import (
	"context"
	"fmt"

	"vmctl/internal/hint"
)

// Protect makes a machine that cannot be deleted and whose disk is not given up for a new
// installation, until it is unprotected: those are ErrGuard then. The runtime is not asked.
func (m *Manager) Protect(ctx context.Context, name string, protected bool, report Reporter) error {
	h, unlock, err := m.openLocked(ctx, name, report)
	if err != nil {
		return fmt.Errorf("protect %q: %w", name, err)
	}
	defer unlock()
	h.rec.Protected = protected
	return h.save()
}

func (h *handle) refuseProtected() error {
	if !h.rec.Protected {
		return nil
	}
	return hint.With(fmt.Errorf("%w: the machine is protected", ErrGuard), "if you are sure: vmctl unprotect %s", h.name)
}
