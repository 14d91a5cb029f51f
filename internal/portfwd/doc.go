// Package portfwd is about the host's side of a machine's ports: is a port free, who
// has it, which one is free, and does a forward really answer.
//
// A guest's port becomes reachable on this host by one of three rungs, best first:
//
//  1. hostport: the runtime maps the port when it makes the pod (CRI PortMappings,
//     realised by the CNI plugin portmap as a DNAT rule). The kernel forwards, no process
//     has to live, UDP works. Nothing listens on the host port, so nothing notices a
//     conflict: the last one to map a port wins it silently (containernetworking/plugins
//     plugins/meta/portmap). CRI-O maps no port on loopback.
//  2. relay: a listener of our own that dials the pod's address.
//  3. stream: CRI PortForward, which reaches only what listens inside the pod.
//
// Only hostport exists today, and all it needs is here: a check before the pod is made,
// because nothing else detects a taken port, and a test after it runs, because a network
// without portmap drops the mapping silently.
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
// The package keeps no state and starts nothing.
package portfwd
