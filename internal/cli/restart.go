package cli

import (
	"context"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
)

func newRestart(t *terminal) *cobra.Command {
	var o waitOptions
	cmd := &cobra.Command{
		Use:   "restart NAME...",
		Short: "Shut machines down and start them again",
		Long: `Shuts the guest down as vmctl stop does, then starts the machine in a new sandbox. A
machine that does not run is started.`,
		Example: "  vmctl restart windows-11",
		Args:    atLeastOne("machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.runRestart(cmd.Context(), t, args)
		},
		ValidArgsFunction: t.completeMachines,
	}
	o.flags(cmd)
	t.jsonFlag(cmd)
	return cmd
}

func (o *waitOptions) runRestart(ctx context.Context, t *terminal, names []string) error {
	start, err := o.start()
	if err != nil {
		return err
	}
	return t.each(ctx, names, func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
		mc, err := m.Restart(ctx, name, machine.StopOptions{}, start, report)
		return func() error { return t.printStarted(mc) }, err
	})
}
