package gui

import (
	"slices"
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

	verbPlug      verb = "pull the plug of"
	verbPause     verb = "pause"
	verbResume    verb = "resume"
	verbProtect   verb = "protect"
	verbUnprotect verb = "unprotect"
	verbRename    verb = "rename"
	verbClone     verb = "make"
	verbSnapshot  verb = "take a snapshot of"
	verbRestore   verb = "restore"
	verbForget    verb = "delete a snapshot of"
	verbPack      verb = "pack"
	verbUnpack    verb = "unpack"
	verbSet       verb = "change"
	verbKeys      verb = "send Ctrl-Alt-Del to"
)

// starting reports whether the verb can be called off as long as no guest runs.
func (v verb) starting() bool { return v == verbUp || v == verbStart }

// copying reports whether the verb copies disks: called off, it leaves nothing behind.
func (v verb) copying() bool {
	return slices.Contains([]verb{verbClone, verbSnapshot, verbRestore, verbPack, verbUnpack}, v)
}

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
	then     func() // what follows when it has succeeded; may be nil
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
	return o.verb == verbStop || o.verb == verbPlug || o.verb == verbRestart && (o.progress.Stage == "" || o.progress.Stage == machine.StageStop)
}

// offer is which buttons may be pressed.
type offer struct {
	start, stop, cancel, view, restart, delete bool
	plug, pause, resume, keys                  bool
	copy                                       bool // what needs a machine at rest: rename, clone, snapshot, pack
	change                                     bool // what is written into its directory: settings, protect
}

// offerFor tells what may be asked of a machine now. op is nil when nothing is
// under way in this window; stale means that the runtime does not answer.
func offerFor(m machine.Machine, op *operation, stale bool) offer {
	o := offer{view: m.ViewerURL() != "" && m.Phase.Up()}
	if op != nil {
		o.cancel = (op.verb.starting() || op.verb.copying()) && !m.Phase.Up()
		o.stop = op.verb.starting() && stoppable(m) && !stale
		o.plug = o.stop || op.stopping() && op.verb != verbPlug && m.Phase.Up() && !stale
		return o
	}
	if stale {
		return o
	}
	switch {
	case stoppable(m):
		o.stop, o.plug, o.keys = true, true, !m.Orphan()
		o.pause, o.resume = m.Phase == machine.Running && !m.Paused && !m.Orphan(), m.Paused
		o.restart = m.Phase == machine.Running && !m.Orphan()
	case m.Phase == machine.Stopped || m.Phase == machine.Failed:
		o.start = !m.Orphan()
		o.delete = !m.Protected
		o.copy = m.Phase == machine.Stopped && !m.Orphan()
	case m.Phase == machine.Stopping:
		o.plug = true
	}
	o.change = !m.Orphan()
	return o
}

func stoppable(m machine.Machine) bool {
	return m.Phase.Up() && m.Phase != machine.Stopping
}
