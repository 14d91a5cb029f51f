package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
)

func newClone(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clone NAME NEW",
		Short: "Copy a machine that is stopped, disks and all",
		Long: `Makes the machine NEW with the recipe and copies of the disks of NAME. It has a host name
and a MAC address of its own, and macOS a serial number of its own. What is inside the
guest is the same in both: Windows keeps its SID and its computer name.

Where the file system can share blocks (btrfs, xfs), that takes a moment and no space.
Snapshots are not copied.`,
		Example: "  vmctl clone windows-11 windows-test",
		Args:    exactly(2, "a machine and a new name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.each(cmd.Context(), args[:1], func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
				mc, err := m.Clone(cmd.Context(), name, args[1], report)
				return func() error {
					if t.json {
						return t.printJSON(toJSON(mc))
					}
					_, err := fmt.Fprintf(t.Out, "%s is made, a copy of %s\n", mc.Name, name)
					return err
				}, err
			})
		},
		ValidArgsFunction: t.completeMachine,
	}
	t.jsonFlag(cmd)
	return cmd
}

func newRename(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "rename NAME NEW",
		Short: "Give a machine that is stopped another name",
		Long: `Gives a machine another name. Its disks, snapshots, ports and MAC address stay; its recipe
stays the one that it was made from.`,
		Example: "  vmctl rename windows-11 office",
		Args:    exactly(2, "a machine and a new name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.each(cmd.Context(), args[:1], func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
				if err := m.Rename(cmd.Context(), name, args[1], report); err != nil {
					return nil, err
				}
				return func() error {
					if t.forgetUnit(cmd.Context(), name) {
						t.note("note: it does not start with the host any more; again with: vmctl autostart enable %s", args[1])
					}
					_, err := fmt.Fprintf(t.Out, "%s is called %s\n", name, args[1])
					return err
				}, nil
			})
		},
		ValidArgsFunction: t.completeMachine,
	}
}
