package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vmctl/internal/hint"
	"vmctl/internal/machine"
)

type upgradeOptions struct {
	wait  waitOptions
	all   bool
	check bool
}

func newUpgrade(t *terminal) *cobra.Command {
	var o upgradeOptions
	cmd := &cobra.Command{
		Use:   "upgrade NAME... | --all",
		Short: "Change machines over to the newest image of their tag, after a snapshot",
		Long: `A machine runs on the one image that it was first started on, also where its tag means
another one by now. This fetches the newest one. If that is another, the machine is shut
down, kept as a snapshot (before-upgrade-...), changed over, and started again if it ran.
vmctl rollback takes it back.

--check only fetches the image and tells. It ends with exit code 0 either way.`,
		Example: "  vmctl upgrade windows-11\n  vmctl upgrade --all --check",
		Args: func(cmd *cobra.Command, args []string) error {
			if o.all != (len(args) == 0) {
				return hint.With(usageError{fmt.Errorf("%s takes names of machines, or --all", cmd.CommandPath())}, "see: vmctl upgrade --help")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args)
		},
		ValidArgsFunction: t.completeMachines,
	}
	o.wait.flags(cmd)
	cmd.Flags().BoolVar(&o.all, "all", false, "all machines of yours")
	cmd.Flags().BoolVar(&o.check, "check", false, "only fetch the image and tell")
	return cmd
}

func (o *upgradeOptions) run(ctx context.Context, t *terminal, names []string) error {
	start, err := o.wait.start()
	if err != nil {
		return err
	}
	if o.all {
		if names, err = t.own(ctx); err != nil {
			return err
		}
	}
	return t.each(ctx, names, func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
		u, err := m.Upgrade(ctx, name, o.check, start, report)
		return func() error {
			_, err := fmt.Fprintln(t.Out, upgradeText(name, u))
			return err
		}, err
	})
}

func upgradeText(name string, u machine.Upgraded) string {
	switch {
	case !u.Newer:
		return fmt.Sprintf("%s is on the newest image already (%s)", name, u.To)
	case u.Snapshot == "":
		return fmt.Sprintf("%s is on %s, and %s is newer", name, u.From, u.To)
	case u.Started:
		return fmt.Sprintf("%s runs on %s now; its state on %s is kept as %s", name, u.To, u.From, u.Snapshot)
	}
	return fmt.Sprintf("%s is on %s now; its state on %s is kept as %s", name, u.To, u.From, u.Snapshot)
}

// own are the names of this user's machines.
func (t *terminal) own(ctx context.Context) ([]string, error) {
	return t.ownWhere(ctx, func(machine.Machine) bool { return true })
}

func newRollback(t *terminal) *cobra.Command {
	var o struct {
		wait     waitOptions
		keepDisk bool
		yes      bool
	}
	cmd := &cobra.Command{
		Use:   "rollback NAME",
		Short: "Take the last upgrade of a machine back, after asking",
		Long: `Shuts the machine down, brings back the image that it ran on before the last
vmctl upgrade and the snapshot of then, and starts it again if it ran. The state that it
has now is kept as a snapshot. As the guest's disk goes back in time, this asks first;
without a terminal it needs --yes (exit code 7).

--keep-disk brings back the image alone.`,
		Example: "  vmctl rollback windows-11\n  vmctl rollback --keep-disk windows-11",
		Args:    exactly(1, "one machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			start, err := o.wait.start()
			if err != nil {
				return err
			}
			if !o.keepDisk && !o.yes {
				if err := t.confirm(ctx, fmt.Sprintf("take the disk of %q back to before its upgrade?", args[0])); err != nil {
					return err
				}
			}
			return t.each(ctx, args, func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
				kept, started, err := m.Rollback(ctx, name, o.keepDisk, start, report)
				return func() error {
					if kept != "" {
						t.note("its state until now is kept as %s", kept)
					}
					verb := "is"
					if started {
						verb = "runs"
					}
					_, err := fmt.Fprintf(t.Out, "%s %s on the image of before its upgrade\n", name, verb)
					return err
				}, err
			})
		},
		ValidArgsFunction: t.completeMachine,
	}
	o.wait.flags(cmd)
	cmd.Flags().BoolVar(&o.keepDisk, "keep-disk", false, "bring back the image alone")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}
