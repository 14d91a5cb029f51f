package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vmctl/internal/recipe"
)

func newRecipeSet(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "set RECIPE|FILE KEY=VALUE...",
		Short: "Change keys of a recipe in its file",
		Long: `Writes values into a recipe's file. Comments, order and formatting stay as they are, and
so does everything else. The keys are those of --set: resources.memory, env.VERSION,
ports.viewer.host (a port by its name; one that is not there is added), disks.games.size,
mounts./shared.source, secrets.PASSWORD.file.

A change that would make the recipe invalid is refused, and the file is not touched. A
bundled recipe stays as it is: the change goes to a file of that name in
$XDG_CONFIG_HOME/vmctl/recipes, which extends it. Machines keep the recipe that they were
made from.

Prints the file that was written.`,
		Example: "  vmctl recipes set windows-11 memory=16G env.LANGUAGE=de\n  vmctl recipes set ./win.toml ports.rdp.host=3389",
		Args:    atLeast(2, "a recipe and KEY=VALUE"),
		RunE: func(_ *cobra.Command, args []string) error {
			return runRecipeChange(t, args[0], func(d *recipe.Document) error { return setAll(d, args[1:]) })
		},
		ValidArgsFunction: t.completeChanges,
	}
}

func newRecipeUnset(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "unset RECIPE|FILE KEY...",
		Short: "Take keys out of a recipe in its file",
		Long: `Takes keys out of a recipe's file: resources.disk, env.COMMAND, or of an array the item
with that name: ports.vnc, disks.games, mounts./oem. A comment on the same line goes with
it; comments on lines of their own stay. A table that is empty then goes too, unless there
are comments in it.

What is only in the recipe that this one extends is written to the list of unset.
Otherwise as for: vmctl recipes set`,
		Example: "  vmctl recipes unset mine env.COMMAND ports.vnc",
		Args:    atLeast(2, "a recipe and keys"),
		RunE: func(_ *cobra.Command, args []string) error {
			return runRecipeChange(t, args[0], func(d *recipe.Document) error { return unsetAll(d, args[1:]) })
		},
		ValidArgsFunction: t.completeRecipes,
	}
}

// setAll makes changes of the form KEY=VALUE; env=NAME=VALUE is one too, as in --set.
func setAll(d *recipe.Document, changes []string) error {
	for _, change := range changes {
		if rest, ok := strings.CutPrefix(change, "env="); ok {
			change = "env." + rest
		}
		key, value, ok := strings.Cut(change, "=")
		if !ok {
			return usageError{fmt.Errorf("%q: no value; write KEY=VALUE", change)}
		}
		if err := d.Set(strings.TrimSpace(key), value); err != nil {
			return err
		}
	}
	return nil
}

func unsetAll(d *recipe.Document, keys []string) error {
	for _, key := range keys {
		if err := d.Unset(key); err != nil {
			return err
		}
	}
	return nil
}

// runRecipeChange changes a recipe's file.
func runRecipeChange(t *terminal, arg string, change func(*recipe.Document) error) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	f, err := a.Catalog().Change(arg, change)
	if err != nil {
		return err
	}
	return t.saved(f)
}

// saved tells where a recipe's file is that was written.
func (t *terminal) saved(f *recipe.File) error {
	if name, ok := strings.CutPrefix(f.Bundled, "bundled:"); ok {
		t.note("%s is a bundled recipe: the change is in a recipe of yours that extends it", name)
	}
	_, err := fmt.Fprintln(t.Out, f.Path)
	return err
}
