package machine

import (
	"context"
	"fmt"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
)

// Exec runs a command in the machine's container, beside QEMU and not inside the
// guest. The command's own failure is in the result; ErrPhase says that the
// machine is not up.
func (m *Manager) Exec(ctx context.Context, name string, cmd []string, timeout time.Duration) (cri.ExecResult, error) {
	id, err := m.Container(ctx, name)
	if err != nil {
		return cri.ExecResult{}, fmt.Errorf("exec in %q: %w", name, err)
	}
	result, err := m.Runtime.Exec(ctx, id, cmd, timeout)
	if err != nil {
		return result, fmt.Errorf("exec in %q: %w", name, err)
	}
	return result, nil
}

// ExecStream is Exec with the command's input and output connected, for a shell.
// It returns the command's exit code.
func (m *Manager) ExecStream(ctx context.Context, name string, cmd []string, streams cri.ExecIO) (int, error) {
	id, err := m.Container(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("exec in %q: %w", name, err)
	}
	code, err := m.Runtime.ExecStream(ctx, id, cmd, streams)
	if err != nil {
		return code, fmt.Errorf("exec in %q: %w", name, err)
	}
	return code, nil
}

// Container returns the ID of the machine's running container, or ErrPhase.
func (m *Manager) Container(ctx context.Context, name string) (string, error) {
	s, err := m.survey(ctx)
	if err != nil {
		return "", err
	}
	h, err := m.open(name)
	if err != nil {
		return "", err
	}
	for _, p := range s.of(h.rec.UID) {
		if c, ok := p.container(); ok && c.State == cri.ContainerRunning {
			return c.ID, nil
		}
	}
	return "", hint.With(fmt.Errorf("%w: the machine is not up", ErrPhase), "start it with: vmctl start %s", name)
}
