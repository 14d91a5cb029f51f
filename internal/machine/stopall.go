package machine

import (
	"context"
	"errors"
	"fmt"
)

// StopAll shuts down every machine on the runtime, other users' too: what must come
// before the runtime itself is ended. It goes on after a failure and returns all of
// them. starting is told each name before its turn; nil is allowed.
func (m *Manager) StopAll(ctx context.Context, starting func(name string), report Reporter) error {
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	own, err := m.ownNames()
	if err != nil {
		return err
	}
	var failures []error
	done := map[string]bool{}
	for _, p := range s.pods {
		uid, name := p.Labels[LabelUID], p.Labels[LabelMachine]
		if !ours(p.Labels) || done[uid] {
			continue
		}
		done[uid] = true
		if starting != nil {
			starting(name)
		}
		if mine, ok := own[uid]; ok {
			err = m.Stop(ctx, mine, StopOptions{}, report)
		} else if err = m.stopPods(ctx, s.of(uid), StopOptions{}, report); err != nil {
			err = fmt.Errorf("stop %q: %w", name, err)
		}
		if ctx.Err() != nil {
			return err
		}
		failures = append(failures, err)
	}
	return errors.Join(append(failures, m.stillUp(ctx))...)
}

// stillUp is an error naming the machines of which something may run.
func (m *Manager) stillUp(ctx context.Context) error {
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	for _, p := range s.pods {
		if ours(p.Labels) && p.live() {
			return fmt.Errorf("%w: machine %q is up", ErrPhase, p.Labels[LabelMachine])
		}
	}
	return nil
}

// ownNames maps the uids of this user's machines to their names.
func (m *Manager) ownNames() (map[string]string, error) {
	names, err := m.Store.List()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range names {
		if h, err := m.openAny(name); err == nil {
			out[h.rec.UID] = name
		}
	}
	return out, nil
}
