package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vmctl/internal/hint"
	"vmctl/internal/machine"
)

type stopOptions struct {
	all   bool
	force bool
	yes   bool
}

func newStop(t *terminal) *cobra.Command {
	var o stopOptions
	cmd := &cobra.Command{
		Use:   "stop NAME... | --all",
		Short: "Shut machines down; their disks stay",
		Long: `Asks the guest to shut down, waits for it as long as the recipe's stop_grace allows,
and removes its sandbox. Stopping a machine that does not run is success. Ctrl-C
ends only the waiting.

--force pulls the plug, as a power cut would; the guest may lose what it had not
saved.`,
		Example: "  vmctl stop windows-11\n  vmctl stop --all",
		Args: func(cmd *cobra.Command, args []string) error {
			if o.all != (len(args) == 0) {
				return hint.With(usageError{fmt.Errorf("%s takes names of machines, or --all", cmd.CommandPath())}, "see: vmctl stop --help")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args)
		},
		ValidArgsFunction: t.completeMachines,
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "stop all machines of yours")
	cmd.Flags().BoolVar(&o.force, "force", false, "pull the plug instead of shutting down")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask before --force")
	return cmd
}

func (o *stopOptions) run(ctx context.Context, t *terminal, names []string) error {
	if o.all {
		var err error
		if names, err = t.ownUp(ctx); err != nil {
			return err
		}
	}
	if o.force && !o.yes && len(names) > 0 {
		if err := t.confirm(ctx, fmt.Sprintf("pull the plug of %s? What the guest has not saved is lost, as at a power cut; the disk stays", strings.Join(names, ", "))); err != nil {
			return err
		}
	}
	return t.each(ctx, names, func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
		return func() error {
			_, err := fmt.Fprintf(t.Out, "%s is stopped\n", name)
			return err
		}, m.Stop(ctx, name, machine.StopOptions{Force: o.force}, report)
	})
}

// ownUp are the names of this user's machines that have a sandbox. Orphans may be
// another user's.
func (t *terminal) ownUp(ctx context.Context) ([]string, error) {
	return t.ownWhere(ctx, func(mc machine.Machine) bool { return mc.SandboxID != "" })
}

// ownWhere are the names of those of this user's machines that something is true of.
func (t *terminal) ownWhere(ctx context.Context, is func(machine.Machine) bool) ([]string, error) {
	m, err := t.machines(ctx)
	if err != nil {
		return nil, err
	}
	list, err := m.List(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, mc := range list {
		if !mc.Orphan() && is(mc) {
			names = append(names, mc.Name)
		}
	}
	return names, nil
}

func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return hint.With(usageError{fmt.Errorf("%s takes at least one %s", cmd.CommandPath(), what)}, "see: %s --help", cmd.CommandPath())
	}
}
