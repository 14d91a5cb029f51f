package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"vmctl/internal/app"
	"vmctl/internal/gui"
	"vmctl/internal/hint"
	"vmctl/internal/version"
	"vmctl/internal/viewer"
)

// The exit codes, as vmctl has them.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

type streams struct {
	out, err io.Writer
	getenv   func(string) string
}

// run shows the window until it is closed or ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	options := app.Options{Getenv: s.getenv}
	flags := flag.NewFlagSet("vmgui", flag.ContinueOnError)
	flags.SetOutput(s.err)
	flags.StringVar(&options.Endpoint, "runtime-endpoint", "", "the container runtime's `socket`")
	flags.StringVar(&options.RuntimeName, "runtime-name", "", "`name` of the private runtime")
	showVersion := flags.Bool("version", false, "print the version")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	case flags.NArg() > 0:
		fmt.Fprintf(s.err, "vmgui: error: unexpected argument %q\n", flags.Arg(0))
		return exitUsage
	case *showVersion:
		fmt.Fprintln(s.out, "vmgui", version.String())
		return exitOK
	}
	if err := show(ctx, options); err != nil {
		fmt.Fprintf(s.err, "vmgui: error: %v\n", err)
		if h := hint.Of(err); h != "" {
			fmt.Fprintf(s.err, "vmgui: hint: %s\n", h)
		}
		return exitError
	}
	return exitOK
}

func show(ctx context.Context, o app.Options) error {
	if o.Getenv("DISPLAY") == "" && o.Getenv("WAYLAND_DISPLAY") == "" {
		return hint.With(errors.New("there is no display (DISPLAY and WAYLAND_DISPLAY are empty)"),
			"use vmctl, which does the same in a terminal")
	}
	a, err := app.New(o)
	if err != nil {
		return err
	}
	w, err := newWindow(a)
	if err != nil {
		return hint.With(err, "use vmctl, which does the same in a terminal")
	}
	w.ShowAndRun(ctx)
	return a.Close()
}

// newWindow makes the window. Fyne answers a display that it cannot open with a
// panic.
func newWindow(a *app.App) (w *gui.Window, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("the display cannot be opened: %v", reason)
		}
	}()
	fyneapp.SetMetadata(fyne.AppMetadata{
		ID: gui.ID, Name: gui.Title, Version: version.String(),
		// What Fyne 2.6 changed about threads is kept: see package gui, background.go.
		Migrations: map[string]bool{"fyneDo": true},
	})
	engine := gui.Live{Connect: a.Machines, Offline: a.Offline, Catalog: a.Catalog, Browse: viewer.OpenBrowser}
	return gui.New(fyneapp.NewWithID(gui.ID), engine, gui.Options{}), nil
}
