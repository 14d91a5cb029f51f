package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vmctl/internal/containerd"
)

func newRuntimeStart(t *terminal) *cobra.Command {
	var o containerd.Options
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start the private runtime",
		Long: `Starts a containerd of vmctl's own and prints its endpoint. Starting one that runs is
success. It needs root. Members of --group may use it, and can become root by it.

With --lan, machines with network = "lan" get addresses of the local network that a link
of this host is in. Other computers there reach them; this host does not (macvlan), but
for their screens. It takes a wired network with a DHCP server.`,
		Example: "  sudo vmctl runtime start --group $(id -gn)\n  sudo vmctl --runtime-name lab runtime start --lan eth0",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runRuntimeStart(cmd.Context(), t, o)
		},
	}
	cmd.Flags().StringVar(&o.Containerd, "containerd", "", "`PATH` of the daemon to run")
	cmd.Flags().StringVar(&o.LAN, "lan", "", "`LINK` of this host in whose network machines with network = \"lan\" are to be, such as eth0, or none (default: that of the last start)")
	cmd.Flags().StringVar(&o.Group, "group", "", "`GROUP` that may use it (default: vmctl, if there is such a group, else root)")
	return cmd
}

func runRuntimeStart(ctx context.Context, t *terminal, o containerd.Options) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	instance, err := a.Instance(o)
	if err != nil {
		return err
	}
	result, err := instance.Start(ctx)
	if err != nil {
		return err
	}
	for _, note := range result.Notes {
		t.note("note: %s", note)
	}
	if result.AlreadyRunning {
		t.note("private runtime %q runs already (containerd %s)", instance.Name(), result.Version)
	} else {
		t.note("private runtime %q started (containerd %s)", instance.Name(), result.Version)
	}
	_, err = fmt.Fprintf(t.Out, "unix://%s\n", instance.Socket())
	return err
}
