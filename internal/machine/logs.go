package machine

import (
	"context"
	"errors"
	"fmt"
	"os"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
)

// Logs delivers the container's log since the machine's last start, oldest first.
// It needs no runtime, unless it follows: then it ends with the container.
func (m *Manager) Logs(ctx context.Context, name string, o cri.LogOptions, fn func(cri.LogLine) error) error {
	h, err := m.open(name)
	if err != nil {
		return err
	}
	if o.Follow && o.Stopped == nil {
		o.Stopped = func() bool { return !m.runs(ctx, h.rec.UID) }
	}
	err = cri.ReadLog(ctx, h.logPath(), o, fn)
	if errors.Is(err, os.ErrNotExist) {
		return hint.With(fmt.Errorf("machine %q has no log: it was never started: %w", name, ErrPhase), "start it with: vmctl start %s", name)
	}
	return err
}

// runs asks the runtime whether a container of the machine runs. A runtime that
// does not answer leaves the question open, and that counts as yes.
func (m *Manager) runs(ctx context.Context, uid string) bool {
	if m.Runtime == nil {
		return false
	}
	containers, err := m.Runtime.ListContainers(ctx, cri.ContainerFilter{Labels: map[string]string{LabelUID: uid}})
	if err != nil {
		return true
	}
	for _, c := range containers {
		if mayRun(c.State) || c.State == cri.ContainerCreated {
			return true
		}
	}
	return false
}
