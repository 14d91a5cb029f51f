package portfwd

// Via is the rung by which a forward reaches the guest; see the package comment.
type Via string

// The rungs, and the wish for the best one that works.
const (
	Auto     Via = "auto"
	HostPort Via = "hostport" // the runtime's port mapping
	Relay    Via = "relay"    // our listener, which dials the pod's address
	Stream   Via = "stream"   // our listener, which asks the runtime for each connection
)

// Vias lists what a user may ask for.
func Vias() []Via { return []Via{Auto, HostPort, Relay, Stream} }

// Ours reports whether a process of ours listens.
func (v Via) Ours() bool { return v == Relay || v == Stream }
