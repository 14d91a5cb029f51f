package machine

import (
	"context"
	"fmt"
)

// Restart is Stop and then Start: the sandbox is made anew. Forwards that an agent serves
// stay, and find the machine where it is then.
func (m *Manager) Restart(ctx context.Context, name string, stop StopOptions, start StartOptions, report Reporter) (Machine, error) {
	if h, err := m.open(name); err == nil && h.notEphemeral() != nil {
		return Machine{}, fmt.Errorf("restart %q: %w", name, h.notEphemeral())
	}
	if err := m.stop(ctx, name, stop, report); err != nil {
		return Machine{}, fmt.Errorf("stop %q: %w", name, err)
	}
	return m.Start(ctx, name, start, report)
}
