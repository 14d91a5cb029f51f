package cli

import (
	"github.com/spf13/cobra"

	"vmctl/internal/storage"
)

// newErrand holds what vmctl itself runs as root, in containers that it makes for a moment.
func newErrand() *cobra.Command {
	cmd := group("errand", "Do a piece of work in a container that vmctl made for it", newErrandOwn())
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
