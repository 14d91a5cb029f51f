package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
)

func newPause(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "pause NAME...",
		Short: "Stop the guests' processors for a while",
		Long: `Stops a guest's processors, through QEMU's monitor. It takes no processor time then, and
keeps its memory; its clock stands still. vmctl resume, or start, lets it go on. A stop
lets it go on first, so that it can shut down.`,
		Example: "  vmctl pause windows-11",
		Args:    atLeastOne("machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.each(cmd.Context(), args, func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
				return t.saying("%s is paused\n", name), m.Pause(cmd.Context(), name, report)
			})
		},
		ValidArgsFunction: t.completeMachines,
	}
}

func newResume(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:     "resume NAME...",
		Short:   "Let paused guests go on",
		Long:    "Lets guests go on that vmctl pause has stopped. One that runs is left as it is.",
		Example: "  vmctl resume windows-11",
		Args:    atLeastOne("machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.each(cmd.Context(), args, func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
				return t.saying("%s goes on\n", name), m.Resume(cmd.Context(), name, report)
			})
		},
		ValidArgsFunction: t.completeMachines,
	}
}

// saying is the outcome that prints a line about a machine.
func (t *terminal) saying(format, name string) outcome {
	return func() error {
		_, err := fmt.Fprintf(t.Out, format, name)
		return err
	}
}

func newMonitor(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "monitor NAME COMMAND...",
		Short: "Say a line to QEMU's monitor",
		Long: `Has QEMU carry out a command of its monitor and prints the answer: info status, sendkey
ctrl-alt-delete, screendump. Whoever may use the monitor can do anything to the guest,
also end it as a power cut does. To pause a guest use vmctl pause, which stop knows of.`,
		Example: "  vmctl monitor windows-11 info status\n  vmctl monitor windows-11 sendkey ctrl-alt-delete",
		Args:    atLeast(2, "a machine and a command"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMonitor(cmd.Context(), t, args[0], strings.Join(args[1:], " "))
		},
		ValidArgsFunction: t.completeMachine,
	}
}

func runMonitor(ctx context.Context, t *terminal, name, line string) error {
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	answer, err := m.Monitor(ctx, name, line)
	if err != nil || answer == "" {
		return err
	}
	_, err = fmt.Fprintln(t.Out, answer)
	return err
}
