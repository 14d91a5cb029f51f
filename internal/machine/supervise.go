package machine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/recipe"
)

// ending is how a machine that was supervised came to its end.
type ending int

const (
	endAsked    ending = iota // somebody stopped or deleted it
	endPowerOff               // the guest was shut down from inside
	endFailure                // anything else
)

// Between two starts the pause doubles from shortestPause to longestPause; a machine that
// ran for longEnough begins anew.
const (
	shortestPause = time.Second
	longestPause  = 5 * time.Minute
	longEnough    = 10 * time.Minute
)

// startsAgain is the restart policy: CRI has none. Who asked for the end means it.
func startsAgain(policy recipe.Restart, how ending) bool {
	switch how {
	case endPowerOff:
		return policy == recipe.RestartAlways
	case endFailure:
		return policy == recipe.RestartAlways || policy == recipe.RestartOnFailure
	}
	return false
}

// pause is how long to wait before the next start, after so many failures in a row.
func pause(failures int) time.Duration {
	if failures > 8 { // and no overflow
		return longestPause
	}
	return min(shortestPause<<max(failures-1, 0), longestPause)
}

// Supervise is Up, and then stays: when the machine ends by itself it is started again
// as its recipe's lifecycle.restart says, with growing pauses. It returns nil when the
// machine was stopped or deleted by another command, or its guest was shut down and is
// not to be started again; the error of the last end or start when the policy says no
// more; and ErrGuard at once, whatever the policy: the disk is a question to the user.
//
// When ctx ends, the guest is shut down cleanly, with its grace, before Supervise
// returns ctx's error. A runtime that is restarted meanwhile is waited for.
func (m *Manager) Supervise(ctx context.Context, name string, r *recipe.Recipe, o StartOptions, report Reporter, ready func(Machine)) error {
	mc, err := m.Up(ctx, name, r, o, report)
	o.MarkInstalled, o.Reinstall, o.NoSnapshot = false, false, false // answers for the first start only
	for failures := 0; ; {
		begin := time.Now()
		how := endFailure
		if err == nil || errors.Is(err, ErrTimeout) {
			if err == nil && ready != nil {
				ready(mc)
			}
			how, err = m.attend(ctx, name, report)
		}
		if ctx.Err() != nil {
			return m.leave(ctx, name, report)
		}
		if h, openErr := m.openAny(name); openErr == nil && h.rec.Because != "" {
			report.note(h.rec.Because + "; it was shut down")
		}
		if errors.Is(err, ErrGuard) || errors.Is(err, ErrNotFound) || !startsAgain(m.policy(name), how) {
			return err
		}
		if failures++; time.Since(begin) > longEnough {
			failures = 1
		}
		why := "its guest was shut down"
		if err != nil {
			why = oneLine(err.Error())
		}
		wait := m.pauseScale(pause(failures))
		report.note(fmt.Sprintf("%s; starting it again in %s", why, wait))
		if sleep(ctx, wait) != nil {
			return m.leave(ctx, name, report)
		}
		mc, err = m.Start(ctx, name, o, report)
	}
}

// pauseScale shortens the pauses where the manager polls faster, as in tests.
func (m *Manager) pauseScale(d time.Duration) time.Duration {
	const usual = 500 * time.Millisecond
	return d * m.pollInterval() / usual
}

// policy is the recipe's of now: it may have been changed since the start.
func (m *Manager) policy(name string) recipe.Restart {
	h, err := m.open(name)
	if err != nil {
		return recipe.RestartNo
	}
	return h.recipe.Lifecycle.Restart
}

// leave shuts the machine down for a supervisor that was told to end.
func (m *Manager) leave(ctx context.Context, name string, report Reporter) error {
	stop, cancel := detach(ctx, maxLeave)
	defer cancel()
	if err := m.Stop(stop, name, StopOptions{}, report); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return ctx.Err()
}

// maxLeave is above every grace that a recipe may have.
const maxLeave = 25 * time.Hour

// attend waits until the machine has ended, and tells how.
func (m *Manager) attend(ctx context.Context, name string, report Reporter) (ending, error) {
	a := m.newAlarm(ctx)
	silent := false
	for {
		how, over, err := m.glance(ctx, name)
		switch {
		case ctx.Err() != nil:
			return endAsked, ctx.Err()
		case errors.Is(err, cri.ErrUnavailable) && !over:
			if !silent {
				report.note("the runtime does not answer; waiting for it")
			}
			silent = true
		case over:
			return how, err
		default:
			silent = false
		}
		if err := a.wait(ctx, silent); err != nil {
			return endAsked, err
		}
	}
}

// glance looks once whether the machine has ended.
func (m *Manager) glance(ctx context.Context, name string) (how ending, over bool, err error) {
	mc, err := m.Show(ctx, name)
	switch {
	case errors.Is(err, ErrNotFound):
		return endAsked, true, nil
	case err != nil:
		return endAsked, false, err
	case mc.Phase.Up() || mc.Phase == Creating:
		return endAsked, false, nil
	}
	h, err := m.open(name)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && h.rec.Intent == intentStop:
		return endAsked, true, nil
	case err != nil:
		return endFailure, true, err
	case mc.Phase == Stopped && mc.Reason == "" && mc.ContainerID != "":
		return endPowerOff, true, nil
	}
	reason := mc.Reason
	if reason == "" {
		reason = "its sandbox is gone"
	}
	return endFailure, true, fmt.Errorf("%w: %s", ErrFailed, reason)
}
