package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
)

func newStart(t *terminal) *cobra.Command {
	var o waitOptions
	cmd := &cobra.Command{
		Use:   "start NAME...",
		Short: "Start machines that exist",
		Long: `Starts machines and watches each until it is ready. Starting a machine that runs is
success. Where the image would delete the disk of an installed guest, the start is
refused (exit code 7): answer with --mark-installed or --reinstall, which keeps a
snapshot of the disk unless --no-snapshot says otherwise.`,
		Example: "  vmctl start windows-11\n  vmctl start --wait viewer windows-11 ubuntu",
		Args:    atLeastOne("machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.runStart(cmd.Context(), t, args)
		},
		ValidArgsFunction: t.completeMachines,
	}
	o.flags(cmd)
	t.jsonFlag(cmd)
	return cmd
}

func (o *waitOptions) runStart(ctx context.Context, t *terminal, names []string) error {
	start, err := o.start()
	if err != nil {
		return err
	}
	return t.each(ctx, names, func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
		mc, err := m.Start(ctx, name, start, report)
		return func() error { return t.printStarted(mc) }, err
	})
}

// outcome says what became of a machine. It is called once the progress display is
// closed: a bar that is drawn again takes what was printed below it away.
type outcome func() error

// each does something to several machines, one after the other. It goes on after a
// failure and returns all of them; an interruption ends it.
func (t *terminal) each(ctx context.Context, names []string, do func(*machine.Manager, string, machine.Reporter) (outcome, error)) error {
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for _, name := range names {
		p := t.newProgress()
		say, err := do(m, name, p.report)
		p.close()
		if err == nil {
			err = say()
		}
		if err != nil {
			failures = append(failures, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(failures) == 1 {
		return failures[0]
	}
	return errors.Join(failures...)
}
