package machine

import "context"

// Restart is Stop and then Start: the sandbox is made anew.
func (m *Manager) Restart(ctx context.Context, name string, stop StopOptions, start StartOptions, report Reporter) (Machine, error) {
	if err := m.Stop(ctx, name, stop, report); err != nil {
		return Machine{}, err
	}
	return m.Start(ctx, name, start, report)
}
