// Package containerd runs a containerd of our own: the runtime that vmctl brings
// where the host has none that answers.
//
//	i, err := containerd.New(containerd.Options{Name: "default", Group: "staff"})
//	...
//	result, err := i.Start(ctx)               // also on top of a running one
//	client, err := cri.Dial(ctx, "unix://"+i.Socket())
//	...
//	err = i.Stop(ctx)                         // images stay, nothing else does
//
// An instance has its own root, state, socket, log, bridge, subnet and pause
// image, so that it stands beside the system's containerd without touching it,
// and several instances stand beside each other. All paths are in paths.go. The
// executables are the distribution's (containerd 1.6, 1.7 or 2.x, runc and the
// CNI plugins); config.go writes the one configuration that each of them accepts.
//
// The daemon outlives the command that started it: as a transient systemd unit
// where systemd runs, else in a session of its own. What is left behind by a
// daemon that was killed is found again by Start, which takes its pods up again,
// and by Stop, which clears it away. A process is only ever killed when it is
// proven to be ours: by its start time, or by our socket on its command line.
//
// Two things need containerd's own API, which is spoken on the same socket as
// CRI, and work on any containerd: ImportImage loads an archive, WatchPull tells
// how far a pull has come.
//
// What this package does not do: it neither runs machines nor stops them
// cleanly. Stop is a power cut for what still runs; stop the machines first.
package containerd
