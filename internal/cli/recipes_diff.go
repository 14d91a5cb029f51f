package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vmctl/internal/app"
	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/recipe"
)

type diffOptions struct {
	overrides overrides
	from      string
	exitCode  bool
}

func newRecipeDiff(t *terminal) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff NAME",
		Short: "Show what a changed recipe would change in a machine",
		Long: `Compares the recipe that the machine NAME was made from with what its file says now, and
tells for each difference what it needs:

  none           nothing: it is read when it is needed
  restart        the guest gets it at the next start
  installation   only an installation reads it, and that is over
  recreate       it is about another disk than the machine has
  refused        the image would delete or move the disk away, or would not start

A machine keeps the recipe that it was made from. To give it the new one, where nothing
is refused: vmctl update NAME. Options that the machine was made with are to be given
here too, or they show as differences.`,
		Example: "  vmctl recipes diff windows-11\n  vmctl recipes diff accounts --from ./work.toml",
		Args:    exactly(1, "one machine"),
		RunE: func(_ *cobra.Command, args []string) error {
			return o.run(t, args[0])
		},
		ValidArgsFunction: t.completeMachine,
	}
	o.overrides.flags(cmd)
	cmd.Flags().StringVar(&o.from, "from", "", "`RECIPE` to compare with (default: the one that the machine was made from)")
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "exit with 1 if there are differences")
	t.jsonFlag(cmd)
	return cmd
}

func (o *diffOptions) run(t *terminal, name string) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	frozen, err := a.Offline().Recipe(name)
	if err != nil {
		if errors.Is(err, machine.ErrNotFound) {
			err = hint.With(err, "see the machines with: vmctl ls")
		}
		return err
	}
	now, err := o.overrides.current(a, name, o.from, frozen.Source)
	if err != nil {
		return err
	}
	changes, err := recipe.Diff(frozen, now)
	if err != nil {
		return err
	}
	if err := o.print(t, name, changes); err != nil {
		return err
	}
	if o.exitCode && len(changes) > 0 {
		return exitError{exitOther}
	}
	return nil
}

// current is a recipe as its file has it now, with the overrides: from, or where that is
// not given the source that the machine called name was made from.
func (o *overrides) current(a *app.App, name, from, source string) (*recipe.Recipe, error) {
	if from != "" {
		_, r, err := a.Target(from, name)
		if err != nil {
			return nil, err
		}
		source = r.Source
	}
	list, err := o.all(a)
	if err != nil {
		return nil, err
	}
	e, err := a.Catalog().Explain(source, list)
	if err != nil {
		return nil, hint.With(err, "name the recipe that %q is to have, with: --from RECIPE", name)
	}
	return e.Recipe, nil
}

// print shows the changes, and how the machine gets them.
func (o *diffOptions) print(t *terminal, name string, changes []recipe.Change) error {
	err := printChanges(t, []string{"KEY", "MACHINE", "RECIPE", "NEEDS"}, changes)
	if err != nil || t.json || len(changes) == 0 {
		return err
	}
	from := ""
	if o.from != "" {
		from = " --from " + o.from
	}
	if slices.ContainsFunc(changes, func(c recipe.Change) bool {
		return c.Effect == recipe.EffectRefused || c.Effect == recipe.EffectDisk
	}) {
		t.note("hint: a machine with a disk cannot take what is refused or needs another one; make another machine: vmctl up RECIPE --name NAME")
		return nil
	}
	t.note("hint: to give the machine the recipe, with its disk kept: vmctl update %s%s", name, from)
	return nil
}

// printChanges shows what is different, as a table or as JSON.
func printChanges(t *terminal, header []string, changes []recipe.Change) error {
	if t.json {
		return t.printJSON(append([]recipe.Change{}, changes...))
	}
	if len(changes) == 0 {
		t.note("no difference")
		return nil
	}
	rows := make([][]string, 0, len(changes))
	for _, c := range changes {
		rows = append(rows, []string{c.Key, dash(shortened(c.Old)), dash(shortened(c.New)), string(c.Effect)})
	}
	return t.printTable(header, rows)
}

// shortened keeps a table readable.
func shortened(s string) string {
	const most = 40
	if runes := []rune(strings.TrimSpace(s)); len(runes) > most {
		return fmt.Sprintf("%s...", string(runes[:most]))
	}
	return s
}
