package machine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
)

// StopOptions says how a machine is stopped.
type StopOptions struct {
	// Force pulls the plug: QEMU is killed, and the guest's file systems are left
	// as after a power cut. The image still gets to mark an installed disk, so the
	// disk itself survives.
	Force bool

	because string // why vmctl stops it by itself
}

// Stop shuts the guest down and removes its sandbox. Stopping a machine that does
// not run is success. The guest gets the recipe's grace; what it leaves unsaved
// after that is lost, as at a power cut, and a note says so.
//
// When ctx ends the guest goes on shutting down, and another Stop takes up the
// wait.
func (m *Manager) Stop(ctx context.Context, name string, o StopOptions, report Reporter) error {
	if err := m.stop(ctx, name, o, report); err != nil {
		return fmt.Errorf("stop %q: %w", name, err)
	}
	if h, err := m.openAny(name); err == nil {
		m.endForwards(ctx, h.rec.UID)
	}
	return nil
}

func (m *Manager) stop(ctx context.Context, name string, o StopOptions, report Reporter) error {
	unlock, err := m.lock(ctx, name, report)
	if errors.Is(err, ErrNotFound) {
		return m.stopOrphan(ctx, name, o, report, err)
	}
	if err != nil {
		return err
	}
	defer unlock()
	h, err := m.openAny(name)
	if err != nil {
		return err
	}
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	if err := m.elsewhere(h, s); err != nil {
		return err
	}
	return m.stopHandle(ctx, h, s, o, report)
}

// stopHandle ends all pods of a machine whose lock is held, and writes down what is
// known before and after.
func (m *Manager) stopHandle(ctx context.Context, h *handle, s survey, o StopOptions, report Reporter) error {
	pods, before := s.of(h.rec.UID), h.rec
	if len(pods) == 0 && h.rec.Endpoint == "" && !h.rec.Ephemeral {
		return h.unclaim()
	}
	h.rec.want(intentStop, time.Now().UTC())
	h.rec.Because = o.because
	m.keepEvidence(h)
	h.saveOrTell(report)
	if h.rec.Paused && !o.Force { // it does not hear that it is to shut down
		if err := m.resume(ctx, h); err != nil {
			m.log().Warn("a paused guest could not be resumed before it is stopped", "machine", h.name, "error", err)
		}
	}
	err := m.stopPods(ctx, pods, o, report)
	switch {
	case err == nil:
		if err := h.unclaim(); err != nil {
			return err
		}
		h.rec.runsOn("")
		h.rec.Paused = false
		if gone, err := m.endEphemeral(ctx, h, report); gone || err != nil {
			return err
		}
	case ctx.Err() == nil: // it was not even asked, or does not end: it goes on
		h.rec.want(before.Intent, before.IntentAt)
	default:
		return err
	}
	h.saveOrTell(report)
	return err
}

// saveOrTell writes the record, and tells where that does not work: with a full disk a
// guest must be shut down all the same, and what its record does not say can be seen.
func (h *handle) saveOrTell(report Reporter) {
	if err := h.save(); err != nil {
		report.note(err.Error() + "; the machine is stopped all the same")
	}
}

// keepEvidence takes into the record what the log of the last start tells of the
// installation, before that log is moved away or removed.
func (m *Manager) keepEvidence(h *handle) {
	if !h.rec.Ephemeral && h.rec.InstalledAt.IsZero() && m.sawInstalled(h) {
		h.rec.InstalledAt = time.Now().UTC()
	}
}

// elsewhere refuses where the machine was started on another runtime and may still
// run there: this one cannot tell.
func (m *Manager) elsewhere(h *handle, s survey) error {
	e := h.rec.Endpoint
	if e == "" || e == m.Runtime.Endpoint() || h.rec.BootID != bootID() || len(s.of(h.rec.UID)) > 0 {
		return nil
	}
	err := fmt.Errorf("%w: the machine was started on the runtime %s and may still run there", ErrGuard, e)
	return hint.With(err, "stop it there first: vmctl --runtime-endpoint %s stop %s", e, h.name)
}

// stopOrphan stops a machine whose directory is gone, by what its sandbox bears.
func (m *Manager) stopOrphan(ctx context.Context, name string, o StopOptions, report Reporter, notFound error) error {
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	p, ok := s.named(name)
	if !ok {
		return hint.With(notFound, "see the machines with: vmctl ls")
	}
	return m.stopPods(ctx, s.of(p.Labels[LabelUID]), o, report)
}

func (m *Manager) stopPods(ctx context.Context, pods []pod, o StopOptions, report Reporter) error {
	for _, p := range pods {
		if c, ok := p.container(); o.Force && ok && mayRun(c.State) {
			if err := m.killGuest(ctx, c.ID); err != nil {
				m.log().Warn("QEMU could not be killed; its container is stopped instead", "error", err)
			}
		}
		if err := m.removePod(ctx, p, report); err != nil {
			return err
		}
	}
	return nil
}

// stopContainer asks the container to end and counts the grace while it does.
func (m *Manager) stopContainer(ctx context.Context, id string, grace time.Duration, report Reporter) error {
	begin := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- m.Runtime.StopContainer(ctx, id, grace) }()
	tick := time.NewTicker(m.pollInterval())
	defer tick.Stop()
	for {
		elapsed := time.Since(begin)
		report.report(Progress{Stage: StageStop, Text: "waiting for the guest to shut down", Percent: -1,
			Done: int64(elapsed.Seconds()), Total: int64(grace.Seconds()), Elapsed: elapsed})
		select {
		case err := <-stopped:
			if err == nil {
				err = m.ended(ctx, id, report)
			}
			if err == nil || ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
		case <-tick.C:
			continue
		}
		return hint.With(ctx.Err(), "the guest goes on shutting down; wait for it again with the same command")
	}
}

// ended waits until the runtime says that the container has ended. Until then the
// sandbox must not be touched: stopping it kills what still runs.
func (m *Manager) ended(ctx context.Context, id string, report Reporter) error {
	deadline := time.Now().Add(cleanupTime)
	for {
		status, err := m.Runtime.Container(ctx, id)
		switch {
		case errors.Is(err, cri.ErrNotFound):
			return nil
		case err != nil:
			return fmt.Errorf("see the container end: %w", err)
		case status.State == cri.ContainerExited:
			if status.ExitCode == exitKilled {
				report.note("the guest did not shut down in its grace and was killed; what it had not saved is lost")
			}
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("%w: the container still runs after its grace", ErrTimeout)
		}
		if err := sleep(ctx, m.pollInterval()/5); err != nil {
			return err
		}
	}
}

// killGuest kills QEMU and not the container, and waits for the image to finish:
// only then does it mark an installed disk, which a killed container's image would
// delete at its next start (dockur/windows src/power.sh finish).
func (m *Manager) killGuest(ctx context.Context, container string) error {
	result, err := m.Runtime.Exec(ctx, container, []string{"sh", "-c", "kill -KILL $(cat /run/shm/qemu.pid)"}, 10*time.Second)
	if err != nil || result.ExitCode != 0 { // no QEMU yet, perhaps
		return err
	}
	deadline := time.Now().Add(15 * time.Second)
	for time.Now().Before(deadline) {
		status, err := m.Runtime.Container(ctx, container)
		if err != nil || status.State == cri.ContainerExited {
			return err
		}
		if err := sleep(ctx, m.pollInterval()/5); err != nil {
			return err
		}
	}
	return nil // a guest that was not there yet: the stop that follows ends the container
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
