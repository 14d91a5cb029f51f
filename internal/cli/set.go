package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
	"vmctl/internal/recipe"
)

// editOptions are the options of the verbs that change a machine's recipe.
type editOptions struct {
	wait    waitOptions
	restart bool
}

func (o *editOptions) flags(t *terminal, cmd *cobra.Command) {
	o.wait.flags(cmd)
	cmd.Flags().BoolVar(&o.restart, "restart", false, "shut the machine down and start it with the change, if it is up")
	t.jsonFlag(cmd)
}

// editHelp is what the verbs have in common.
const editHelp = `

The storage stays. What is different is printed, with what it needs: mostly the next
start, or --restart, which shuts the guest down cleanly and starts it again. A change
with which the image would delete or move the disk is refused (exit code 7): another
VERSION, LANGUAGE or medium, a smaller disk. A machine that was never started takes all.`

func newSet(t *terminal) *cobra.Command {
	var o editOptions
	cmd := &cobra.Command{
		Use:   "set NAME KEY=VALUE...",
		Short: "Change a machine: its memory, ports, disk size",
		Long: `Changes keys of the recipe that the machine keeps; the recipe's own file stays as it is.
The keys are those of --set: memory, disk, env.NAME, ports.viewer.host (a port by its
name; one that is not there is added), disks.games.size, mounts./shared.source.` + editHelp,
		Example: "  vmctl set windows-11 memory=16G cpus=6\n  vmctl set --restart windows-11 ports.rdp.host=3390",
		Args:    atLeast(2, "a machine and KEY=VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args[0], func(r recipe.Recipe) (*recipe.Recipe, error) { return &r, r.Apply(args[1:]) })
		},
		ValidArgsFunction: t.completeMachineChanges,
	}
	o.flags(t, cmd)
	return cmd
}

func newUnset(t *terminal) *cobra.Command {
	var o editOptions
	cmd := &cobra.Command{
		Use:   "unset NAME KEY...",
		Short: "Take something out of a machine: a port, a mount, a variable",
		Long: `Takes keys out of the recipe that the machine keeps, which gives them their defaults, or
of an array the item with that name: ports.vnc, disks.games, mounts./oem. The file of a
further disk stays.` + editHelp,
		Example: "  vmctl unset windows-11 ports.vnc env.COMMAND",
		Args:    atLeast(2, "a machine and keys"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args[0], func(r recipe.Recipe) (*recipe.Recipe, error) { return withoutKeys(&r, args[1:]) })
		},
		ValidArgsFunction: t.completeMachine,
	}
	o.flags(t, cmd)
	return cmd
}

// withoutKeys is a recipe without some keys.
func withoutKeys(r *recipe.Recipe, keys []string) (*recipe.Recipe, error) {
	data, err := r.Marshal()
	if err != nil {
		return nil, err
	}
	d, err := recipe.NewDocument(data, "the machine's recipe")
	if err != nil {
		return nil, err
	}
	if err := unsetAll(d, keys); err != nil {
		return nil, err
	}
	now, err := recipe.Parse(d.Bytes(), "the machine's recipe")
	if err != nil {
		return nil, err
	}
	now.Source = r.Source
	return now, nil
}

func newUpdate(t *terminal) *cobra.Command {
	var o editOptions
	var changes overrides
	var from string
	cmd := &cobra.Command{
		Use:   "update NAME",
		Short: "Give a machine its recipe as the file has it now",
		Long: `Replaces the recipe that the machine keeps by what its file says now, or another one with
--from. Options that the machine was made with are to be given here too; without them it
is as the file says. What would change shows: vmctl recipes diff NAME` + editHelp,
		Example: "  vmctl update windows-11 --memory 8G\n  vmctl update windows-11 --from ./work.toml --restart",
		Args:    exactly(1, "one machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args[0], func(old recipe.Recipe) (*recipe.Recipe, error) {
				a, err := t.app()
				if err != nil {
					return nil, err
				}
				now, err := changes.current(a, args[0], from, old.Source)
				if err != nil {
					return nil, err
				}
				now.Name = old.Name
				return now, nil
			})
		},
		ValidArgsFunction: t.completeMachine,
	}
	changes.flags(cmd)
	_ = cmd.Flags().MarkHidden("name") // it has one
	cmd.Flags().StringVar(&from, "from", "", "`RECIPE` to take (default: the one that the machine was made from)")
	o.flags(t, cmd)
	return cmd
}

// run changes the machine's recipe, says how, and restarts it if that is wanted.
func (o *editOptions) run(ctx context.Context, t *terminal, name string, change func(recipe.Recipe) (*recipe.Recipe, error)) error {
	start, err := o.wait.start()
	if err != nil {
		return err
	}
	a, err := t.app()
	if err != nil {
		return err
	}
	p := t.newProgress()
	changes, err := a.Offline().Edit(ctx, name, change, p.report)
	p.close()
	if err != nil {
		return err
	}
	if !o.restart {
		if err := printChanges(t, []string{"KEY", "WAS", "IS", "NEEDS"}, changes); err != nil || len(changes) == 0 {
			return err
		}
		t.note("the machine has it at its next start; a running one now with: vmctl restart %s", name)
		return nil
	}
	if !t.json {
		if err := printChanges(t, []string{"KEY", "WAS", "IS", "NEEDS"}, changes); err != nil {
			return err
		}
	}
	return o.restartUp(ctx, t, name, start)
}

// restartUp restarts a machine that is up; of one that is not, it says so.
func (o *editOptions) restartUp(ctx context.Context, t *terminal, name string, start machine.StartOptions) error {
	return t.each(ctx, []string{name}, func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
		mc, err := m.Show(ctx, name)
		if err == nil && mc.Phase.Up() {
			mc, err = m.Restart(ctx, name, machine.StopOptions{}, start, report)
			return func() error { return t.printStarted(mc) }, err
		}
		return func() error {
			t.note("%s is %s: it has the change when it is started", name, strings.ToLower(string(mc.Phase)))
			if t.json {
				return t.printJSON(toJSON(mc))
			}
			return nil
		}, err
	})
}

// completeMachineChanges offers machines, and then changes of the one that is typed.
func (t *terminal) completeMachineChanges(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return t.completeMachine(cmd, args, typed)
	}
	var g recipe.Guest
	if a, err := t.app(); err == nil {
		if r, err := a.Offline().Recipe(args[0]); err == nil {
			g = r.Guest
		}
	}
	return completeChange(g, "", typed)
}
