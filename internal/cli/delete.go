package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/storage"
)

type deleteOptions struct {
	storage bool
	force   bool
	yes     bool
}

func newDelete(t *terminal) *cobra.Command {
	var o deleteOptions
	cmd := &cobra.Command{
		Use:     "delete NAME...",
		Aliases: []string{"rm"},
		Short:   "Remove machines; their disks stay unless --storage says otherwise",
		Long: `Removes a machine's recipe, logs and sandbox. The disk stays, and the next machine of
the same name takes it over.

--storage removes the disk too. It lists what would go and asks first; without a
terminal it needs --yes (exit code 7). Files that neither vmctl nor the image made
are left alone.

A machine that runs must be stopped first, or --force shuts it down. Deleting one that
is not there is success.`,
		Example: "  vmctl delete windows-11\n  vmctl delete --force --storage --yes windows-11",
		Args:    atLeastOne("machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args)
		},
		ValidArgsFunction: t.completeMachines,
	}
	cmd.Flags().BoolVar(&o.storage, "storage", false, "remove the disk too")
	cmd.Flags().BoolVar(&o.force, "force", false, "shut the machine down first if it runs")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask before --storage")
	return cmd
}

func (o *deleteOptions) run(ctx context.Context, t *terminal, names []string) error {
	return t.each(ctx, names, func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
		done, err := o.delete(ctx, t, m, name, report)
		if errors.Is(err, machine.ErrNotFound) {
			return func() error { t.note("there is no machine %q", name); return nil }, nil
		}
		return done, err
	})
}

func (o *deleteOptions) delete(ctx context.Context, t *terminal, m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
	mc, showErr := m.Show(ctx, name)
	if o.storage && !o.yes && !mc.Protected { // Delete refuses that one
		if showErr == nil && mc.Phase.Up() && !o.force { // do not ask for what would be refused
			return nil, hint.With(fmt.Errorf("delete %q: %w: it is %s", name, machine.ErrPhase, strings.ToLower(string(mc.Phase))),
				"stop it first: vmctl stop %s, or add --force to shut it down and delete it", name)
		}
		if err := t.confirmStorage(ctx, m, name); err != nil {
			return nil, err
		}
	}
	if err := m.Delete(ctx, name, machine.DeleteOptions{Storage: o.storage, Force: o.force}, report); err != nil {
		return nil, err
	}
	t.forgetUnit(ctx, name)
	return func() error {
		if _, err := os.Stat(mc.Storage); showErr == nil && !o.storage && err == nil {
			t.note("its disk is kept in %s", mc.Storage)
		}
		_, err := fmt.Fprintf(t.Out, "%s is deleted\n", name)
		return err
	}, nil
}

// confirmStorage lists what would be removed, and asks.
func (t *terminal) confirmStorage(ctx context.Context, m *machine.Manager, name string) error {
	items, err := m.Inventory(name)
	var denied *storage.DeniedError
	if err != nil && !errors.As(err, &denied) {
		return err
	}
	if denied != nil { // it is taken over before it is removed
		fmt.Fprintf(t.Err, "  what is in %s cannot be listed: it belongs to another user\n", strings.Join(denied.Paths, ", "))
	}
	var total int64
	for _, item := range items {
		if item.Foreign {
			fmt.Fprintf(t.Err, "  %-40s stays: vmctl did not make it\n", item.Path)
			continue
		}
		total += item.Allocated
		fmt.Fprintf(t.Err, "  %-40s %s\n", item.Path, units.BytesSize(float64(item.Allocated)))
	}
	return t.confirm(ctx, fmt.Sprintf("remove %q and its disk, %s in all?", name, units.BytesSize(float64(total))))
}
