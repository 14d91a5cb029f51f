package cli

import (
	"time"

	"github.com/spf13/cobra"
)

// jsonRecipe is a line of the catalog as --json prints it.
type jsonRecipe struct {
	Name    string      `json:"name"`
	Summary string      `json:"summary,omitempty"`
	Guest   string      `json:"guest,omitempty"`
	System  *jsonSystem `json:"system,omitempty"` // what its image installs, where that is known
	Source  string      `json:"source"`
	Error   string      `json:"error,omitempty"`
}

func newRecipes(t *terminal) *cobra.Command {
	ls := &cobra.Command{
		Use:   "ls",
		Short: "List the recipes known by name",
		Long: `Lists the user's recipes and the bundled ones. A recipe of the user hides a bundled one
of its name; one that cannot be read is listed with what is wrong with it.`,
		Example: "  vmctl recipes",
		Args:    exactly(0, "no arguments"),
		RunE:    func(*cobra.Command, []string) error { return runRecipes(t) },
	}
	t.jsonFlag(ls)
	cmd := group("recipes", "The recipes that machines are made from", ls,
		newRecipeShow(t), newRecipeValidate(t), newRecipeDiff(t), newRecipeVersions(t), newRecipeSchema(t))
	cmd.AddCommand(newRecipeNew(t), newRecipeEdit(t), newRecipeSet(t), newRecipeUnset(t), newRecipeImport(t))
	cmd.Long = `A recipe is a TOML file that says how to make a machine. Those in
$XDG_CONFIG_HOME/vmctl/recipes are known by name, and so are the bundled ones.`
	cmd.RunE = func(*cobra.Command, []string) error { return runRecipes(t) }
	t.jsonFlag(cmd)
	return cmd
}

func runRecipes(t *terminal) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	list := a.Catalog().List()
	if t.json {
		out := make([]jsonRecipe, 0, len(list))
		for _, e := range list {
			j := jsonRecipe{Name: e.Name, Summary: e.Summary, Guest: string(e.Guest), Source: e.Source}
			if e.Err != nil {
				j.Error = e.Err.Error()
			} else if e.System.ID != "" {
				system := newJSONSystem(e.Guest, e.System, time.Now())
				j.System = &system
			}
			out = append(out, j)
		}
		return t.printJSON(out)
	}
	rows := make([][]string, 0, len(list))
	for _, e := range list {
		summary := e.Summary
		if e.Err != nil {
			summary = "broken: " + firstLine(e.Err.Error())
		}
		rows = append(rows, []string{e.Name, dash(string(e.Guest)), summary, dash(e.System.Download), supportText(e.System, time.Now()), e.Source})
	}
	return t.printTable([]string{"NAME", "GUEST", "SUMMARY", "DOWNLOAD", "UPDATES UNTIL", "SOURCE"}, rows)
}
