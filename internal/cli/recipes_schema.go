package cli

import (
	"github.com/spf13/cobra"

	"vmctl/internal/recipe"
)

func newRecipeSchema(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of recipes, for editors",
		Long: `Prints the JSON schema of recipe files. An editor with taplo (VS Code: Even Better
TOML) then completes and checks them: name the file in the recipe's first line,

    #:schema ./vmctl-recipe.json`,
		Example: "  vmctl recipes schema > ~/.config/vmctl/recipes/vmctl-recipe.json",
		Args:    exactly(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			data, err := recipe.JSONSchema()
			if err != nil {
				return err
			}
			_, err = t.Out.Write(data)
			return err
		},
	}
}
