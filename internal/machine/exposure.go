package machine

import "vmctl/internal/portfwd"

// Exposure says what a forward means to other computers, to be read after "it is"; it is
// "" for one that listens on this host's loopback alone.
//
// VNC never asks for a password, and the viewer only where the recipe says so.
func (m Machine) Exposure(f portfwd.Forward) string { return exposure(f, m.ViewerProtected) }

func exposure(f portfwd.Forward, protected bool) string {
	switch {
	case f.Address.IsLoopback():
		return ""
	case f.Protocol == portfwd.TCP && (f.GuestPort == vncPort || f.GuestPort == viewerPort && !protected):
		return "open to other computers, and the guest's screen there asks for no password"
	}
	return "open to other computers"
}

// warnOpen tells of a forward that is reached from elsewhere.
func warnOpen(f portfwd.Forward, protected bool, report Reporter) {
	if text := exposure(f, protected); text != "" {
		report.note(listening(f) + " is " + text)
	}
}
