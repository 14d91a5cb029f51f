package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"vmctl/internal/app"
	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/recipe"
	"vmctl/internal/version"
)

// Streams are the terminal, or whatever stands for it. Nil streams are empty and
// discard.
type Streams struct {
	In     io.Reader
	Out    io.Writer
	Err    io.Writer
	Getenv func(string) string
	// Environ is the whole environment, for what may change recipes.
	Environ []string
}

// terminal is what every verb shares: the streams, the global flags, and the
// application behind them, made when a verb first needs it.
type terminal struct {
	Streams
	endpoint    string
	runtimeName string
	json        bool
	verbose     bool
	opened      *app.App
}

// Main runs one command line, without the program's name, and returns the exit
// code. When ctx ends, what is waited for is given up and the code is 130.
func Main(ctx context.Context, args []string, streams Streams) int {
	t := &terminal{Streams: streams}
	if t.In == nil {
		t.In = strings.NewReader("")
	}
	if t.Out == nil {
		t.Out = io.Discard
	}
	if t.Err == nil {
		t.Err = io.Discard
	}
	root := newRoot(t)
	root.SetArgs(args)
	root.SetIn(t.In)
	root.SetOut(t.Out)
	root.SetErr(t.Err)
	err := root.ExecuteContext(ctx)
	if t.opened != nil {
		err = errors.Join(err, t.opened.Close())
	}
	if err == nil {
		return exitOK
	}
	return t.fail(err)
}

// fail tells the error, once, and returns its exit code.
func (t *terminal) fail(err error) int {
	code := exitCode(err)
	text := strings.ReplaceAll(err.Error(), context.Canceled.Error(), "interrupted")
	var own exitError
	switch {
	case errors.As(err, &own):
	case t.json:
		_ = t.printJSON(jsonError{Error: text, Hint: hintOf(err, code), Code: code, Tried: triedBefore(err)})
	default:
		fmt.Fprintf(t.Err, "vmctl: error: %s\n", strings.ReplaceAll(text, "\n", "\nvmctl: error: "))
		if h := hintOf(err, code); h != "" {
			fmt.Fprintf(t.Err, "vmctl: hint: %s\n", h)
		}
	}
	return code
}

// hintOf is the error's own hint, or what helps with every error of its kind.
func hintOf(err error, code int) string {
	switch own := hint.Of(err); {
	case own != "":
		return own
	case code == exitRuntime:
		return "see whether the runtime answers with: vmctl runtime status"
	case errors.Is(err, machine.ErrNotFound):
		return "see the machines with: vmctl ls"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "free some space: df -h"
	}
	var problems recipe.Problems
	if errors.As(err, &problems) && problems[0].Line > 0 {
		return "compare with a recipe that works: vmctl recipes show demo"
	}
	return ""
}

// app opens the application.
func (t *terminal) app() (*app.App, error) {
	if t.opened != nil {
		return t.opened, nil
	}
	level := slog.LevelWarn
	if t.verbose {
		level = slog.LevelDebug
	}
	a, err := app.New(app.Options{Endpoint: t.endpoint, RuntimeName: t.runtimeName, Getenv: t.Getenv, Environ: t.Environ, Log: newLog(t.Err, level)})
	if err != nil {
		return nil, usageError{err}
	}
	t.opened = a
	return a, nil
}

// machines opens the engine on the runtime.
func (t *terminal) machines(ctx context.Context) (*machine.Manager, error) {
	a, err := t.app()
	if err != nil {
		return nil, err
	}
	return a.Machines(ctx)
}

const rootLong = `vmctl runs Windows, macOS and Linux virtual machines in pods of a container
runtime (containerd, CRI-O, k3s), without Docker.

    vmctl up windows-11     make, start and watch a machine until it is ready
    vmctl view windows-11   open its screen in the browser
    vmctl stop windows-11   shut it down; the disk stays

Without a runtime: sudo vmctl runtime start`

func newRoot(t *terminal) *cobra.Command {
	root := &cobra.Command{
		Use:                        "vmctl",
		Short:                      "Run Windows, macOS and Linux virtual machines without Docker",
		Long:                       rootLong,
		Version:                    version.String(),
		SuggestionsMinimumDistance: 2,
		SilenceErrors:              true,
		SilenceUsage:               true,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return hint.With(usageError{err}, "see: %s --help", cmd.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.StringVar(&t.endpoint, "runtime-endpoint", "", "`SOCKET` of the container runtime (default: the first that answers)")
	flags.StringVar(&t.runtimeName, "runtime-name", "", "`NAME` of the private runtime (default \"default\")")
	flags.BoolVarP(&t.verbose, "verbose", "v", false, "say more on standard error")
	root.AddGroup(&cobra.Group{ID: groupLife, Title: "Machines:"}, &cobra.Group{ID: groupKeep, Title: "Change and keep them:"}, &cobra.Group{ID: groupLook, Title: "Look inside:"},
		&cobra.Group{ID: groupSetup, Title: "Recipes, images and the runtime:"})
	add(root, groupLife, newUp(t), newCreate(t), newStart(t), newStop(t), newRestart(t), newPause(t), newResume(t), newDelete(t), newAutostart(t))
	add(root, groupKeep, newSet(t), newUnset(t), newUpdate(t), newUpgrade(t), newRollback(t), newSnapshot(t), newClone(t), newRename(t), newPack(t), newUnpack(t), newProtect(t), newUnprotect(t))
	add(root, groupLook, newLs(t), newStats(t), newEvents(t), newShow(t), newView(t), newLogs(t), newExec(t), newMonitor(t), newKeys(t), newForward(t), newPorts(t), newRender(t), newExport(t))
	add(root, groupSetup, newRecipes(t), newImage(t), newRuntime(t))
	root.AddCommand(newForwarder(t), newErrand(), newVersion(t), newExitCodesTopic())
	strictHelp(root)
	return root
}

// strictHelp makes cobra's own commands refuse what they do not know, as ours do,
// and has each verb's help end with the exit codes.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = func(cmd *cobra.Command, args []string) error {
				if found, rest, err := root.Find(args); err == nil && (found != root || len(rest) == 0) {
					return nil
				}
				return unknownCommand(root, args)
			}
		case "completion":
			c.Args = unknownCommand
			c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
			for _, shell := range c.Commands() {
				shell.Args = exactly(0, "no arguments")
			}
		}
	}
	root.SetUsageTemplate(root.UsageTemplate() + "\nThe exit codes: vmctl help exit-codes\n")
}

const (
	groupLife  = "life"
	groupKeep  = "keep"
	groupLook  = "look"
	groupSetup = "setup"
)

func add(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

// unknownCommand refuses what is no command, with the nearest ones.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := usageError{fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return hint.With(err, "did you mean %s?", strings.Join(near, ", "))
	}
	return hint.With(err, "see: %s --help", cmd.CommandPath())
}

// group makes a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: unknownCommand, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(commands...)
	return c
}

// exactly, atLeast and atMostOne are cobra's, as errors of usage.
func exactly(n int, what string) cobra.PositionalArgs {
	return counted(func(given int) bool { return given == n }, what)
}

func atLeast(n int, what string) cobra.PositionalArgs {
	return counted(func(given int) bool { return given >= n }, what)
}

func atMostOne(what string) cobra.PositionalArgs {
	return counted(func(given int) bool { return given <= 1 }, what)
}

func counted(right func(given int) bool, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if right(len(args)) {
			return nil
		}
		return hint.With(usageError{fmt.Errorf("%s takes %s, not %d arguments", cmd.CommandPath(), what, len(args))}, "see: %s --help", cmd.CommandPath())
	}
}

// jsonFlag adds --json to a command that prints a table.
func (t *terminal) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&t.json, "json", false, "print JSON, errors included")
}
