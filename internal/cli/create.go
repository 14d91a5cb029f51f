package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
)

func newCreate(t *terminal) *cobra.Command {
	var o overrides
	cmd := &cobra.Command{
		Use:   "create [RECIPE|FILE]",
		Short: "Make a machine without starting it",
		Long: `Makes a machine's directory and freezes the recipe in it. Nothing is pulled and
nothing runs; no runtime is needed. A name in use is an error (exit code 4).`,
		Example: "  vmctl create windows-11 --name accounts --disk 128G",
		Args:    atMostOne("one recipe"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.create(cmd.Context(), t, first(args))
		},
		ValidArgsFunction: t.completeRecipes,
	}
	o.flags(cmd)
	t.jsonFlag(cmd)
	return cmd
}

func (o *overrides) create(ctx context.Context, t *terminal, arg string) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	name, r, err := o.target(a, arg)
	if err != nil {
		return err
	}
	if r == nil {
		return hint.With(fmt.Errorf("%w %q", recipe.ErrUnknown, arg), "see the recipes with: vmctl recipes")
	}
	mc, err := a.Offline().Create(ctx, name, r)
	if err != nil {
		return err
	}
	if t.json {
		return t.printJSON(toJSON(mc))
	}
	_, err = fmt.Fprintf(t.Out, "%s\n", mc.Name)
	return err
}
