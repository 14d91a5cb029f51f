// Package portfwd is about the host's side of a machine's ports: is a port free, who
// has it, which one is free, does a forward really answer, and who carries its bytes.
//
// A guest's port becomes reachable on this host by one of three rungs, best first:
//
//  1. hostport: the runtime maps the port when it makes the pod (CRI PortMappings,
//     realised by the CNI plugin portmap as a DNAT rule). The kernel forwards, no process
//     has to live, UDP works. Nothing listens on the host port, so nothing notices a
//     conflict: the last one to map a port wins it silently (containernetworking/plugins
//     plugins/meta/portmap). CRI-O maps no port on loopback.
//  2. relay: a listener of our own that dials the pod's address, anew for each
//     connection, wherever the machine is by then. Half-closes and resets are passed on,
//     TCP bytes stay in the kernel (splice(2)), UDP has a flow for each sender.
//  3. stream: the same listener, and CRI PortForward behind it, which reaches only what
//     listens on the pod's own loopback, and carries no UDP.
//
// Hostport needs a check before the pod is made, because nothing else detects a taken
// port, and a test after it runs, because a network without portmap drops the mapping
// silently:
//
//	f := portfwd.Forward{Name: "web", Address: netip.MustParseAddr("127.0.0.1"),
//		HostPort: 8006, GuestPort: 8006, Protocol: portfwd.TCP}
//	var taken *portfwd.TakenError
//	if err := portfwd.Check(f); errors.As(err, &taken) {
//		f.HostPort, err = portfwd.Free(8007, f, nil)
//	}
//	... make the pod ...
//	switch r := portfwd.Test(ctx, f, podIP); r.State {
//	case portfwd.Answers: // f.URL("http") is there
//	case portfwd.NotYet:  // the guest is booting: ask again
//	case portfwd.Broken:  // r.Hop, r.Detail and r.Hint say where and why
//	}
//
// A connection that opens proves the forward, not the guest: in user-mode networking
// passt accepts for a guest that does not listen.
//
// The other two need a process. A Server serves one forward, a Set several; Guest dials.
//
//	guest := &portfwd.Guest{Lookup: ..., Stream: ...}
//	f.Via, why = guest.Choose(ctx, f)
//	set := &portfwd.Set{Dial: guest.Dial}
//	f, err = set.Add(f)
//
// Agents are processes of their own that serve a Set as long as a machine is up.
package portfwd
