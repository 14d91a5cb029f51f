package machine

import (
	"vmctl/internal/cri"
	"vmctl/internal/viewer"
)

// evidence is all that a phase is judged by. Gathering it is List's and Show's
// work; the judgement below is pure.
type evidence struct {
	// sandbox tells whether the runtime has a sandbox of the machine, and ready
	// whether that sandbox is in order.
	sandbox bool
	ready   bool
	// container is nil while there is none.
	container *cri.ContainerStatus
	intent    intent
	// installed tells that the guest needs no installation (any more).
	installed bool
	// viewer is the guest's status page; the zero value where it was not asked.
	viewer viewer.Status
	// log is the end of the container's log, for a container that ended.
	log []string
}

// judge tells the phase, and for a machine that ended by itself why.
func judge(e evidence) (Phase, exitReport) {
	if e.container == nil {
		if e.sandbox && e.ready {
			return Creating, exitReport{}
		}
		return Stopped, exitReport{}
	}
	switch e.container.State {
	case cri.ContainerCreated: // and nothing runs in it yet, or nobody is there any more who starts it
		return Creating, exitReport{}
	case cri.ContainerRunning:
		return judgeRunning(e), exitReport{}
	case cri.ContainerUnknown:
		return Failed, exitReport{text: "the runtime has lost sight of its container, which may still run", fix: "shut it down: vmctl stop"}
	}
	report := explainExit(*e.container, e.intent, e.log)
	if report.clean {
		return Stopped, report
	}
	return Failed, report
}

// judgeRunning looks at the guest's own word. The status page answers 404 once
// QEMU shows a screen, which for an image that installs by itself is the start of
// the installation's second half, not its end.
func judgeRunning(e evidence) Phase {
	switch {
	case e.intent == intentStop:
		return Stopping
	case e.viewer.State == viewer.Ready && e.installed:
		return Running
	case e.viewer.State == viewer.Ready:
		return Installing
	case e.viewer.State == viewer.Installing && !e.installed:
		return Installing
	}
	return Starting
}
