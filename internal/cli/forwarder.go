package cli

import (
	"context"

	"github.com/spf13/cobra"
)

// newForwarder is the process that serves a machine's forwards; vmctl starts it itself.
func newForwarder(t *terminal) *cobra.Command {
	var keeper bool
	cmd := &cobra.Command{
		Use:   "forwarder NAME",
		Short: "Serve a machine's forwards until it is stopped",
		Long: `Serves the forwards that other vmctl commands ask it for, over a socket in
$XDG_RUNTIME_DIR/vmctl, until the machine is stopped. up and forward --background start
it by themselves. If one serves the machine already, it ends at once. With --keeper it
is the process beside it that starts it anew should it be killed.`,
		Example: "  vmctl forwarder windows-11",
		Hidden:  true,
		Args:    exactly(1, "one machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runForwarder(cmd.Context(), t, args[0], keeper)
		},
	}
	cmd.Flags().BoolVar(&keeper, "keeper", false, "keep the process that serves alive")
	return cmd
}

func runForwarder(ctx context.Context, t *terminal, name string, keeper bool) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	if keeper {
		return a.Offline().KeepForwards(ctx, name, a.Agents(t.endpoint))
	}
	m, err := a.Machines(ctx)
	if err != nil {
		return err
	}
	return m.ServeForwards(ctx, name, a.Agents(m.Runtime.Endpoint()))
}
