package cli

import (
	"context"

	"github.com/spf13/cobra"
)

// newForwarder is the process that serves a machine's forwards; vmctl starts it itself.
func newForwarder(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "forwarder NAME",
		Short: "Serve a machine's forwards until it is stopped",
		Long: `Serves the forwards that other vmctl commands ask it for, over a socket in
$XDG_RUNTIME_DIR/vmctl, until the machine is stopped. up and forward --background start
it by themselves. If one serves the machine already, it ends at once.`,
		Example: "  vmctl forwarder windows-11",
		Hidden:  true,
		Args:    exactly(1, "one machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runForwarder(cmd.Context(), t, args[0])
		},
	}
}

func runForwarder(ctx context.Context, t *terminal, name string) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	m, err := a.Machines(ctx)
	if err != nil {
		return err
	}
	return m.ServeForwards(ctx, name, a.Agents(m.Runtime.Endpoint()))
}
