package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"vmctl/internal/machine"
	"vmctl/internal/storage"
)

func newSnapshot(t *terminal) *cobra.Command {
	return group("snapshot", "Keep and bring back states of a machine",
		newSnapshotCreate(t), newSnapshotLs(t), newSnapshotRestore(t), newSnapshotDelete(t))
}

func newSnapshotCreate(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "create NAME [TAG]",
		Short: "Copy the state of a machine that is stopped",
		Long: `Copies the disks, the firmware's variables, the TPM and the recipe of a machine that is
stopped. TAG is what the copy is called (default: the time).

Where the file system can share blocks (btrfs, xfs), that takes a moment and no space.
Elsewhere what the disk holds is copied, without its holes, if there is room for it.
Ctrl-C leaves nothing half-made.`,
		Example: "  vmctl snapshot create windows-11 before-update",
		Args:    oneOrTwo("a machine and a tag"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.each(cmd.Context(), args[:1], func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
				s, err := m.Snapshot(cmd.Context(), name, second(args), report)
				return func() error {
					_, err := fmt.Fprintf(t.Out, "%s is kept as %s (%s)\n", name, s.Tag, snapshotSize(s.Size, s.Shared))
					return err
				}, err
			})
		},
		ValidArgsFunction: t.completeMachine,
	}
}

func newSnapshotLs(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "ls NAME",
		Aliases: []string{"list"},
		Short:   "List the snapshots of a machine",
		Long: `Lists the snapshots, the oldest first. SIZE is what the copied files took; of one that is
"shared", only what was written since takes space. The runtime is not asked.`,
		Example: "  vmctl snapshot ls windows-11",
		Args:    exactly(1, "one machine"),
		RunE: func(_ *cobra.Command, args []string) error {
			return runSnapshotLs(t, args[0])
		},
		ValidArgsFunction: t.completeMachine,
	}
	t.jsonFlag(cmd)
	return cmd
}

func runSnapshotLs(t *terminal, name string) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	list, err := a.Offline().Snapshots(name)
	if err != nil {
		return err
	}
	if t.json {
		return t.printJSON(append([]storage.Snapshot{}, list...))
	}
	rows := make([][]string, 0, len(list))
	for _, s := range list {
		rows = append(rows, []string{s.Tag, age(time.Since(s.CreatedAt)), snapshotSize(s.Size, s.Shared), dash(s.Note)})
	}
	return t.printTable([]string{"TAG", "AGE", "SIZE", "NOTE"}, rows)
}

// snapshotSize is what a snapshot takes, as far as that can be said.
func snapshotSize(size int64, shared bool) string {
	text := units.BytesSize(float64(size))
	if shared {
		text += ", shared"
	}
	return text
}

func newSnapshotRestore(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "restore NAME TAG",
		Short: "Bring a machine that is stopped back to a snapshot",
		Long: `Puts the disks and the recipe of a snapshot in the place of the machine's. The state that
the machine has now is kept as a snapshot first, so that this can be undone. The snapshot
stays. Whatever interrupts this, the machine is afterwards as it was, or restored.`,
		Example: "  vmctl snapshot restore windows-11 before-update",
		Args:    exactly(2, "a machine and a tag"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.each(cmd.Context(), args[:1], func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
				kept, err := m.RestoreSnapshot(cmd.Context(), name, args[1], report)
				return func() error {
					t.note("its state until now is kept as %s", kept)
					_, err := fmt.Fprintf(t.Out, "%s is as it was at %s\n", name, args[1])
					return err
				}, err
			})
		},
		ValidArgsFunction: t.completeSnapshot,
	}
}

func newSnapshotDelete(t *terminal) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "delete NAME TAG",
		Aliases: []string{"rm"},
		Short:   "Remove a snapshot, after asking",
		Long: `Removes a snapshot of a machine, which may be up. Without a terminal to ask on it needs
--yes (exit code 7).`,
		Example: "  vmctl snapshot delete windows-11 before-update",
		Args:    exactly(2, "a machine and a tag"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSnapshotDelete(cmd.Context(), t, args[0], args[1], yes)
		},
		ValidArgsFunction: t.completeSnapshot,
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func runSnapshotDelete(ctx context.Context, t *terminal, name, tag string, yes bool) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	if !yes {
		if err := t.confirm(ctx, fmt.Sprintf("remove snapshot %q of %q?", tag, name)); err != nil {
			return err
		}
	}
	m, err := a.Machines(ctx)
	if err != nil { // only what belongs to a container's root needs one
		m = a.Offline()
	}
	p := t.newProgress()
	err = m.DeleteSnapshot(ctx, name, tag, p.report)
	p.close()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.Out, "snapshot %s of %s is deleted\n", tag, name)
	return err
}

// second is the second argument, or "".
func second(args []string) string {
	if len(args) < 2 {
		return ""
	}
	return args[1]
}

// oneOrTwo is for a verb whose second argument has a default.
func oneOrTwo(what string) cobra.PositionalArgs {
	return counted(func(given int) bool { return given == 1 || given == 2 }, what)
}

// completeSnapshot offers machines, and then the snapshots of the one that is typed.
func (t *terminal) completeSnapshot(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return t.completeMachine(cmd, args, typed)
	}
	a, err := t.app()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	list, err := a.Offline().Snapshots(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, s := range list {
		out = append(out, s.Tag+"\t"+dash(s.Note))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
