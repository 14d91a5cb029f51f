package gui

import (
	"time"

	"vmctl/internal/machine"
)

// verb is what the user asked of a machine in this window.
type verb string

const (
	verbUp      verb = "up"
	verbStart   verb = "start"
	verbStop    verb = "stop"
	verbRestart verb = "restart"
	verbDelete  verb = "delete"
)

// starting reports whether the verb can be called off as long as no guest runs.
func (v verb) starting() bool { return v == verbUp || v == verbStart }

// operation is a verb under way. At most one per machine is.
type operation struct {
	verb verb
	// machine stands in the list as long as the engine does not know it: while it
	// is being made.
	machine  machine.Machine
	started  time.Time
	reported time.Time // when progress came
	progress machine.Progress
	notes    []string
	cancel   func()
}

// take keeps the newest progress, and all notes.
func (o *operation) take(reports []machine.Progress, now time.Time) {
	for _, p := range reports {
		if p.Stage == machine.StageNote {
			o.notes = append(o.notes, p.Text)
			continue
		}
		o.progress, o.reported = p, now
	}
}

// stopping reports whether the guest is being shut down.
func (o *operation) stopping() bool {
	return o.verb == verbStop || o.verb == verbRestart && (o.progress.Stage == "" || o.progress.Stage == machine.StageStop)
}

// offer is which buttons may be pressed.
type offer struct {
	start, stop, cancel, view, restart, delete bool
}

// offerFor tells what may be asked of a machine now. op is nil when nothing is
// under way in this window; stale means that the runtime does not answer.
func offerFor(m machine.Machine, op *operation, stale bool) offer {
	o := offer{view: m.ViewerURL() != "" && m.Phase.Up()}
	if op != nil {
		o.cancel = op.verb.starting() && !m.Phase.Up()
		o.stop = op.verb.starting() && stoppable(m) && !stale
		return o
	}
	if stale {
		return o
	}
	switch {
	case stoppable(m):
		o.stop = true
		o.restart = m.Phase == machine.Running && !m.Orphan()
	case m.Phase == machine.Stopped || m.Phase == machine.Failed:
		o.start = !m.Orphan()
		o.delete = true
	}
	return o
}

func stoppable(m machine.Machine) bool {
	return m.Phase.Up() && m.Phase != machine.Stopping
}
