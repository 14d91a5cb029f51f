package cli

import (
	"context"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
)

type upOptions struct {
	wait       waitOptions
	overrides  overrides
	foreground bool
	ephemeral  bool
}

func newUp(t *terminal) *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up [NAME|FILE]",
		Short: "Make a machine if needed, start it, and watch it until it is ready",
		Long: `Makes a machine from a recipe if there is none of that name, starts it if it does
not run, and watches the guest until it is ready. It goes on from whatever is
there, so it may be repeated; Ctrl-C ends only the watching.

NAME is a recipe (see vmctl recipes) or an existing machine; FILE is a recipe
file; without either, ./vmctl.toml. An existing machine keeps the recipe it was
made from.

If the start fails, what it made is removed again.

With --foreground it stays: a machine that ends by itself is started again as
lifecycle.restart in its recipe says, and Ctrl-C shuts the guest down. Without it,
nothing of vmctl runs while the machine does.

With --ephemeral it runs on a copy of its disks, which goes when it stops, and so does a
machine that did not exist before. Where the file system can share blocks (btrfs, xfs),
the copy takes a moment and no space.`,
		Example: `  vmctl up windows-11
  vmctl up windows-11 --name accounts --memory 16G --port 3390:3389
  vmctl up ./work.toml`,
		Args: atMostOne("one recipe or machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, first(args))
		},
		ValidArgsFunction: t.completeTargets,
	}
	o.wait.flags(cmd)
	o.overrides.flags(cmd)
	cmd.Flags().BoolVar(&o.foreground, "foreground", false, "stay, start it again as its recipe says, and shut it down at the end")
	cmd.Flags().BoolVar(&o.ephemeral, "ephemeral", false, "run on a copy of the disks, and keep nothing of this run")
	t.jsonFlag(cmd)
	return cmd
}

func (o *upOptions) run(ctx context.Context, t *terminal, arg string) error {
	start, err := o.wait.start()
	if err != nil {
		return err
	}
	start.Ephemeral = o.ephemeral
	a, err := t.app()
	if err != nil {
		return err
	}
	name, r, err := o.overrides.target(a, arg)
	if err != nil {
		return err
	}
	m, err := a.Machines(ctx)
	if err != nil {
		return err
	}
	p := t.newProgress()
	if o.foreground {
		defer p.close()
		return m.Supervise(ctx, name, r, start, p.report, func(mc machine.Machine) { _ = t.printStarted(mc) })
	}
	mc, err := m.Up(ctx, name, r, start, p.report)
	p.close()
	if err != nil {
		return err
	}
	return t.printStarted(mc)
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
