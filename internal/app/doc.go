// Package app puts vmctl together: it reads the configuration, knows the
// directories, finds the runtime, and hands out the one engine that both faces,
// the command line and the window, work with.
//
//	a, err := app.New(app.Options{Getenv: os.Getenv})
//	name, r, err := a.Target("windows-11")
//	m, err := a.Machines(ctx)
//	mc, err := m.Up(ctx, name, r, machine.StartOptions{}, nil)
//
// It is the only package that constructs drivers. It prints nothing.
package app
