package machine

import (
	"context"
	"fmt"
	"time"

	"vmctl/internal/cri"
)

// A machine is looked at idleLooks times in the time that it must have been unused, but at
// least every longestLook, for who comes and goes between two looks is not seen. A guest is
// at rest when it uses less than restingCPU percent of one core in each of the idleLooks
// parts of that time: what systems do by themselves comes in bursts.
const (
	idleLooks   = 6
	longestLook = 30 * time.Second
	restingCPU  = 25
)

// idleWatch acts on a machine that nobody uses, as lifecycle.idle of its recipe says. It runs
// in the machine's agent.
type idleWatch struct {
	m         *Manager
	name, uid string

	container string // that it looks at
	since     time.Time
	part      cri.ContainerStats // at the start of this part
	blind     bool               // it was told that nobody can be seen
}

// watchIdle has the machine's agent act when nobody uses the machine, if its recipe says so.
func (m *Manager) watchIdle(ctx context.Context, h *handle, report Reporter) {
	if h.recipe.Lifecycle.Idle.After <= 0 {
		return
	}
	err := error(nil)
	if m.Agents == nil {
		err = fmt.Errorf("no process of vmctl's can be started")
	} else {
		err = m.Agents.Start(ctx, h.rec.UID, h.name)
	}
	if err != nil {
		report.note("it will not be stopped when nobody uses it: " + oneLine(err.Error()))
	}
}

// run looks until ctx ends.
func (w *idleWatch) run(ctx context.Context) {
	for {
		if sleep(ctx, w.look(ctx)) != nil {
			return
		}
	}
}

// look looks once, acts when it is time, and returns how long to wait for the next look.
func (w *idleWatch) look(ctx context.Context) time.Duration {
	h, err := w.m.open(w.name)
	if err != nil || h.rec.UID != w.uid || h.recipe.Lifecycle.Idle.After <= 0 {
		w.container = ""
		return longestLook
	}
	after := h.recipe.Lifecycle.Idle.After
	limit := w.m.pauseScale(after)
	next := min(limit/idleLooks, longestLook)
	if w.unused(ctx, limit/idleLooks) < limit {
		return next
	}
	w.container = ""
	because := fmt.Sprintf("nobody used it for %s", after)
	w.m.log().Warn(because+"; it is shut down", "machine", w.name)
	if err := w.m.Stop(ctx, w.name, StopOptions{because: because}, nil); err != nil {
		w.m.log().Warn("an unused machine was not stopped", "machine", w.name, "error", err)
	}
	return next
}

// unused is how long nobody has been using the machine. Whatever cannot be told, and a guest
// that is not up, paused or not installed yet, counts as used.
func (w *idleWatch) unused(ctx context.Context, part time.Duration) time.Duration {
	mc, err := w.m.Show(ctx, w.name)
	if err != nil || mc.Phase != Running || !mc.Installed || mc.Paused {
		w.container = ""
		return 0
	}
	stats, err := w.m.Runtime.ContainerStats(ctx, mc.ContainerID)
	if err != nil || stats.Time.IsZero() || w.used(ctx, mc) || mc.ContainerID != w.container {
		w.container, w.since, w.part = "", time.Now(), stats
		if err == nil && !stats.Time.IsZero() {
			w.container = mc.ContainerID
		}
		return 0
	}
	if took := stats.Time.Sub(w.part.Time); took >= part {
		if 100*float64(stats.CPUTime-w.part.CPUTime)/float64(took) >= restingCPU {
			w.since = time.Now()
		}
		w.part = stats
	}
	return time.Since(w.since)
}

// used tells whether somebody is connected to the machine, or nobody knows.
func (w *idleWatch) used(ctx context.Context, mc Machine) bool {
	used, err := w.m.connected(ctx, mc)
	if err != nil && !w.blind {
		w.m.log().Warn("who uses the machine cannot be seen; it is taken to be used", "machine", w.name, "error", err)
	}
	w.blind = err != nil
	return used || err != nil
}
