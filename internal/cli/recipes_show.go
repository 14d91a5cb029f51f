package cli

import (
	"github.com/spf13/cobra"
)

type recipeShowOptions struct {
	overrides overrides
	resolved  bool
}

func newRecipeShow(t *terminal) *cobra.Command {
	var o recipeShowOptions
	cmd := &cobra.Command{
		Use:   "show RECIPE|FILE",
		Short: "Print a recipe with every value filled in",
		Long: `Prints a recipe as it would be frozen in a new machine: what it extends, the options
and the defaults are filled in. The output is a recipe itself. With --resolved each
value has its origin behind it: the file and line, the variable, or the default.

Secrets are shown as where they are kept.`,
		Example: `  vmctl recipes show windows-11 > mine.toml
  vmctl recipes show --resolved work --memory 16G`,
		Args: exactly(1, "one recipe"),
		RunE: func(_ *cobra.Command, args []string) error {
			return o.run(t, args[0])
		},
		ValidArgsFunction: t.completeRecipes,
	}
	o.overrides.flags(cmd)
	cmd.Flags().BoolVar(&o.resolved, "resolved", false, "say where each value comes from")
	t.jsonFlag(cmd)
	return cmd
}

func (o *recipeShowOptions) run(t *terminal, arg string) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	_, r, err := a.Target(arg, "recipe")
	if err != nil {
		return err
	}
	if r == nil { // a machine, and no recipe
		_, err = a.Catalog().Get(arg)
		return err
	}
	list, err := o.overrides.all(a)
	if err != nil {
		return err
	}
	e, err := a.Catalog().Explain(r.Source, list)
	if err != nil {
		return err
	}
	if t.json {
		values, err := e.Values()
		if err != nil {
			return err
		}
		return t.printJSON(values)
	}
	write := e.Marshal
	if o.resolved {
		write = e.Annotated
	}
	data, err := write()
	if err != nil {
		return err
	}
	_, err = t.Out.Write(data)
	return err
}
