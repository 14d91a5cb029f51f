// Package gui is the window of vmgui.
//
// On the left are the machines, each with its phase; on the right is the chosen
// one with what may be done to it, its progress, its ports and its log. The same
// engine as the command line's does the work, and both may be used at once: the
// window asks for the list of machines again and again (see Options.Interval), so
// what was done elsewhere shows within a second.
//
//	application := app.NewWithID(gui.ID)
//	window := gui.New(application, engine, gui.Options{})
//	window.ShowAndRun(ctx)
//
// Closing the window ends what is watched, never a machine.
//
// Three layers, and each knows only the one below it:
//
//   - Window and its pages (machines, details, log, create) connect: they turn a
//     machine into plain text for a widget, and a button into a call of the engine.
//   - widgets show and call back. They know neither machines nor the engine.
//   - Engine is the work. Live is the real one, over machine.Manager.
//
// All that is shown belongs to the UI thread, and needs no locks. Whatever waits
// runs in a goroutine, and all goroutines are started in background.go, which is
// also the only way back to the UI thread.
//
// The package does not import Fyne's app package, which needs cgo and a display:
// it is built and tested without either. It chooses no runtime and reads no
// configuration.
package gui
