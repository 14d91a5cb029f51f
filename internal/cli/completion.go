package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"vmctl/internal/app"
	"vmctl/internal/recipe"
)

// completeMachines offers the names of the user's machines. It asks no runtime: a
// completion must be quick, and work without one.
func (t *terminal) completeMachines(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	a, err := t.app()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names, err := a.Store().List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return without(names, args), cobra.ShellCompDirectiveNoFileComp
}

// completeMachine is completeMachines for a verb that takes one.
func (t *terminal) completeMachine(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return t.completeMachines(cmd, args, typed)
}

// completeRecipes offers the catalog, with its summaries.
func (t *terminal) completeRecipes(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if strings.ContainsAny(typed, "./") {
		return []string{"toml"}, cobra.ShellCompDirectiveFilterFileExt
	}
	a, err := t.app()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, e := range a.Catalog().List() {
		if e.Err == nil {
			out = append(out, e.Name+"\t"+e.Summary)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeTargets offers recipes and machines.
func (t *terminal) completeTargets(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	recipes, directive := t.completeRecipes(cmd, args, typed)
	if len(args) > 0 || directive != cobra.ShellCompDirectiveNoFileComp {
		return recipes, directive
	}
	machines, _ := t.completeMachines(cmd, args, typed)
	known := map[string]bool{}
	for _, r := range recipes {
		name, _, _ := strings.Cut(r, "\t")
		known[name] = true
	}
	for _, name := range machines {
		if !known[name] {
			recipes = append(recipes, name+"\tmachine")
		}
	}
	return recipes, directive
}

// registerCompletion completes the options that change a recipe: keys of the schema, and
// the values that the images know.
func registerCompletion(cmd *cobra.Command) {
	complete := func(prefix string) cobra.CompletionFunc {
		return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			return completeChange(guestOf(first(args)), prefix, typed)
		}
	}
	for flag, prefix := range map[string]string{"set": "", "env": "env."} {
		if err := cmd.RegisterFlagCompletionFunc(flag, complete(prefix)); err != nil {
			continue // it has one already
		}
	}
}

// completeChange completes a KEY=VALUE whose first letters, prefix, are not typed.
func completeChange(g recipe.Guest, prefix, typed string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, c := range recipe.Complete(g, prefix+typed) {
		out = append(out, strings.TrimPrefix(c, prefix))
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeChanges offers recipes, and then changes of the one that is typed.
func (t *terminal) completeChanges(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return t.completeRecipes(cmd, args, typed)
	}
	return completeChange(guestOf(args[0]), "", typed)
}

// guestOf is the guest of the recipe that is being typed, or "" if that is not known.
func guestOf(arg string) recipe.Guest {
	a, err := app.New(app.Options{})
	if err != nil {
		return ""
	}
	_, r, err := a.Target(arg, "")
	if err != nil || r == nil {
		return ""
	}
	return r.Guest
}

// without drops what is typed already.
func without(names, typed []string) []string {
	var out []string
	for _, name := range names {
		used := false
		for _, t := range typed {
			used = used || t == name
		}
		if !used {
			out = append(out, name)
		}
	}
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
