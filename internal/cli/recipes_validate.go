package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
)

type validateOptions struct {
	withoutPaths bool
}

// jsonValidation is what --json prints of one file.
type jsonValidation struct {
	File     string           `json:"file"`
	Valid    bool             `json:"valid"`
	Problems []recipe.Problem `json:"problems,omitempty"`
	Error    string           `json:"error,omitempty"` // of a file that cannot be read
}

func newRecipeValidate(t *terminal) *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate [FILE...]",
		Short: "Check recipe files",
		Long: `Checks recipe files and prints every problem as file:line:column: key: what, and what to
write instead. Without FILE it checks ./vmctl.toml, if there is one, and all recipes of
the user. The exit code is 0 when all are valid, and 2 when one is not.

The paths that a recipe names must be there, because a runtime would make an empty folder
of what is not. Where they cannot be, as in a CI of dotfiles, say --without-paths.`,
		Example: "  vmctl recipes validate --without-paths ~/dotfiles/vmctl/*.toml",
		RunE: func(_ *cobra.Command, args []string) error {
			return o.run(t, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"toml"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	cmd.Flags().BoolVar(&o.withoutPaths, "without-paths", false, "do not look whether the paths that a recipe names are there")
	t.jsonFlag(cmd)
	return cmd
}

func (o *validateOptions) run(t *terminal, files []string) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	catalog := a.Catalog()
	if len(files) == 0 {
		if files, err = ownRecipes(catalog); err != nil {
			return err
		}
	}
	check := catalog.Load
	if o.withoutPaths {
		check = catalog.LoadAnywhere
	}
	results, problems := make([]jsonValidation, len(files)), recipe.Problems{}
	var others []error
	for i, file := range files {
		_, err := check(file)
		results[i] = jsonValidation{File: file, Valid: err == nil}
		var found recipe.Problems
		switch {
		case errors.As(err, &found):
			results[i].Problems = found
			problems = append(problems, found...)
		case err != nil:
			results[i].Error = err.Error()
			others = append(others, err)
		}
	}
	if t.json {
		if err := t.printJSON(results); err != nil {
			return err
		}
	}
	switch {
	case len(others) > 0 && !t.json:
		if len(problems) > 0 {
			others = append(others, problems)
		}
		return errors.Join(others...)
	case len(problems) > 0 && !t.json:
		return problems
	case len(problems)+len(others) > 0: // said as JSON
		return exitError{exitUsage}
	case t.json:
		return nil
	}
	for _, file := range files {
		fmt.Fprintf(t.Out, "%s: valid\n", file)
	}
	return nil
}

// ownRecipes are the files that the user may have written wrong.
func ownRecipes(c *recipe.Catalog) ([]string, error) {
	var files []string
	if _, err := os.Stat(recipe.FolderFile); err == nil {
		files = append(files, recipe.FolderFile)
	}
	for _, e := range c.List() {
		if !e.Bundled() {
			files = append(files, e.Source)
		}
	}
	if len(files) == 0 {
		return nil, hint.With(usageError{errors.New("no recipe of yours is here")}, "name a file: vmctl recipes validate FILE")
	}
	return files, nil
}
