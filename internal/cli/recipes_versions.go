package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
)

// jsonSystem is a system that an image installs, as --json prints it.
type jsonSystem struct {
	Guest        string   `json:"guest"`
	Value        string   `json:"value"` // of VERSION or BOOT
	Title        string   `json:"title"`
	Spellings    []string `json:"spellings,omitempty"`
	Download     string   `json:"download,omitempty"`
	Memory       string   `json:"minimum_memory,omitempty"`
	Disk         string   `json:"minimum_disk,omitempty"`
	SupportEnds  string   `json:"support_ends,omitempty"`
	OutOfSupport bool     `json:"out_of_support"`

	support string // for the table
}

// supportText is the end of a system's support in a table's cell.
func supportText(v recipe.Version, now time.Time) string {
	if !v.Supported(now) {
		return v.Support + " (over)"
	}
	return dash(v.Support)
}

func newRecipeVersions(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "versions [windows|macos|linux|languages]",
		Short: "List what the images can install",
		Long: `Lists the values of VERSION for Windows and macOS and of BOOT for Linux, with the size of
the download, the least memory and disk, and the day on which the system gets no more
security updates. "languages" lists the values of LANGUAGE for Windows.`,
		Example: "  vmctl recipes versions windows",
		Args:    atMostOne("one guest"),
		RunE: func(_ *cobra.Command, args []string) error {
			return runRecipeVersions(t, first(args), time.Now())
		},
		ValidArgs: []string{"windows", "macos", "linux", "languages"},
	}
	t.jsonFlag(cmd)
	return cmd
}

func runRecipeVersions(t *terminal, which string, now time.Time) error {
	if which == "languages" {
		return printLanguages(t)
	}
	var list []jsonSystem
	for _, g := range []recipe.Guest{recipe.Windows, recipe.MacOS, recipe.Linux} {
		if which != "" && which != string(g) {
			continue
		}
		for _, v := range recipe.Versions(g) {
			list = append(list, newJSONSystem(g, v, now))
		}
	}
	if list == nil {
		return hint.With(usageError{fmt.Errorf("%q is no guest that has versions", which)}, "write windows, macos, linux or languages")
	}
	if t.json {
		return t.printJSON(list)
	}
	rows := make([][]string, 0, len(list))
	for _, v := range list {
		rows = append(rows, []string{v.Guest, v.Value, v.Title, dash(v.Download), dash(v.Memory), dash(v.Disk), v.support})
	}
	return t.printTable([]string{"GUEST", "VALUE", "SYSTEM", "DOWNLOAD", "MEMORY", "DISK", "UPDATES UNTIL"}, rows)
}

func newJSONSystem(g recipe.Guest, v recipe.Version, now time.Time) jsonSystem {
	out := jsonSystem{Guest: string(g), Value: recipe.ShortName(g, v), Title: v.Title, Download: v.Download,
		SupportEnds: v.Support, OutOfSupport: !v.Supported(now), support: supportText(v, now)}
	for _, name := range append([]string{v.ID}, v.Names...) {
		if name != out.Value && !strings.Contains(name, "*") {
			out.Spellings = append(out.Spellings, name)
		}
	}
	if !v.Memory.IsZero() {
		out.Memory = v.Memory.String()
	}
	if !v.Disk.IsZero() {
		out.Disk = v.Disk.String()
	}
	return out
}

func printLanguages(t *terminal) error {
	list := recipe.Languages()
	if t.json {
		return t.printJSON(list)
	}
	rows := make([][]string, 0, len(list))
	for _, l := range list {
		rows = append(rows, []string{l.ID, strings.Join(l.Names, ", ")})
	}
	return t.printTable([]string{"VALUE", "ALSO"}, rows)
}
