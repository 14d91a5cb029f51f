package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"vmctl/internal/firewall"
	"vmctl/internal/storage"
)

// newErrand holds what vmctl itself runs as root, in containers that it makes for a moment.
func newErrand() *cobra.Command {
	cmd := group("errand", "Do a piece of work in a container that vmctl made for it", newErrandOwn(), newErrandIsolate())
	cmd.Hidden = true
	return cmd
}

func newErrandOwn() *cobra.Command {
	return &cobra.Command{
		Use:   "own FOLDER",
		Short: "Give all that is in a folder to the owner of the folder",
		Long: `Gives all that is in FOLDER to the owner of FOLDER. It needs root. Other file systems that
are mounted in it, and files with names elsewhere too, are left as they are.`,
		Example: "  vmctl errand own /home/me/.local/share/vmctl/machines/windows-11",
		Args:    exactly(1, "one folder"),
		RunE:    func(_ *cobra.Command, args []string) error { return storage.Own(args[0]) },
	}
}

func newErrandIsolate() *cobra.Command {
	var neighbours bool
	cmd := &cobra.Command{
		Use:   "isolate PORT...",
		Short: "Keep other pods away from TCP ports of this one",
		Long: `Makes nftables rules in the network namespace that it runs in, which drop connections
to the ports that come from other pods of the same network.`,
		Example: "  vmctl errand isolate 5900 8006",
		Args:    atLeast(1, "PORT..."),
		RunE: func(_ *cobra.Command, args []string) error {
			var ports []uint16
			for _, a := range args {
				port, err := strconv.ParseUint(a, 10, 16)
				if err != nil {
					return fmt.Errorf("port: %w", err)
				}
				ports = append(ports, uint16(port))
			}
			if neighbours {
				return firewall.CloseToNeighbours(firewall.Here, ports)
			}
			return firewall.CloseToPeers(firewall.Here, ports)
		},
	}
	cmd.Flags().BoolVar(&neighbours, "neighbours", false, "the pod is in a local network: trust no gateway either")
	return cmd
}
