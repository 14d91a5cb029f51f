// Package cri is a thin client for the Kubernetes Container Runtime Interface,
// version 1, that hides protobuf and gRPC.
//
// It speaks to containerd 1.6 and later, CRI-O, k3s and cri-dockerd over a unix
// socket, and smooths over where they differ: each file that does so says which
// runtime is odd and how. A machine is run like this:
//
//	c, err := cri.Dial(ctx, "unix:///run/containerd/containerd.sock")
//	if err != nil { ... }
//	defer c.Close()
//
//	pod := cri.SandboxConfig{Name: "win11", Namespace: "vmctl", UID: uid, LogDirectory: logs}
//	ctr := cri.ContainerConfig{Name: "vm", Image: ref, LogPath: "vm.log"}
//	sandbox, err := c.RunSandbox(ctx, pod, "")
//	id, err := c.CreateContainer(ctx, sandbox, ctr, pod)
//	err = c.StartContainer(ctx, id)
//	...
//	err = c.StopContainer(ctx, id, 2*time.Minute) // always first: see below
//	err = c.StopSandbox(ctx, sandbox)
//	err = c.RemoveSandbox(ctx, sandbox)
//
// Stop and remove succeed when there is nothing to stop or remove. StopSandbox
// and RemoveSandbox may kill what still runs at once, without a signal that a
// guest could answer; only StopContainer gives it time.
//
// Errors keep the runtime's text and match one of the sentinels in errors.go.
//
// The package does not retry, does not cache, does not log, and knows nothing of
// machines, recipes or progress bars: CRI itself has no pull progress.
package cri
