package machine

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"vmctl/internal/cri"
)

// alarm says when it is time to look at machines again: at once when the runtime tells that
// something happened to one, and else after a while. The runtime's events are not themselves
// believed: they get lost, come twice or late, and do not know what a guest does; what is
// seen then is the truth.
type alarm struct {
	m       *Manager
	woken   chan struct{}
	follows atomic.Bool // the runtime's events arrive
}

// newAlarm follows the runtime's events until ctx ends, where it has them.
func (m *Manager) newAlarm(ctx context.Context) *alarm {
	a := &alarm{m: m, woken: make(chan struct{}, 1)}
	go func() {
		for ctx.Err() == nil {
			err := m.Runtime.Events(ctx, a.hear)
			a.follows.Store(false)
			again := 2 * m.pollInterval()
			if errors.Is(err, cri.ErrUnimplemented) {
				again *= 60 // it may be another runtime after a restart
			}
			if sleep(ctx, again) != nil {
				return
			}
		}
	}()
	return a
}

// hear takes an event, or nil where the stream begins: something may have happened before.
func (a *alarm) hear(e *cri.Event) {
	a.follows.Store(true)
	if e != nil && e.SandboxID != "" && !ours(e.Labels) {
		return
	}
	select {
	case a.woken <- struct{}{}:
	default:
	}
}

// wait returns when it is time to look again. often says that also what the runtime does not
// tell of is waited for.
func (a *alarm) wait(ctx context.Context, often bool) error {
	pause := 4 * a.m.pollInterval()
	if a.follows.Load() && !often {
		pause *= 5
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-a.woken:
	case <-timer.C:
	}
	return nil
}
