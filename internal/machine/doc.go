// Package machine is what a machine is and may do.
//
// A machine is the user's named thing: a recipe, a directory with the guest's
// disk, and, while it is up, one privileged pod sandbox with one container in
// which QEMU runs the guest. Nothing else is stored. What runs is known by the
// labels on the sandbox; what exists is known by the directory; List joins the
// two, so a machine whose sandbox vanished in a reboot is simply Stopped.
//
//	m := &machine.Manager{Runtime: client, Store: store}
//	mc, err := m.Up(ctx, "win11", recipe, machine.StartOptions{}, print)
//	fmt.Println(mc.ViewerURL())
//	err = m.Stop(ctx, "win11", machine.StopOptions{}, print)
//
// One file a verb (up.go, start.go, stop.go, ...), with the same names as the
// commands of vmctl. Around them stand pure functions, which hold the decisions
// and are tested as tables: spec.go (recipe to pod and container), phase.go (what
// the runtime says to a phase), explain.go (exit code and last log lines to a
// sentence), guard.go (may this disk be started), ports.go (which host ports).
//
// The guest's disk is sacred. The Windows image deletes a disk that was never
// shut down cleanly after its installation, without a word, so a stop is always
// StopContainer with the recipe's grace, then StopPodSandbox, then
// RemovePodSandbox; and a start looks at the disk first and refuses (ErrGuard)
// where the image would delete it.
//
// The package does not choose a runtime, print, or read configuration.
package machine
