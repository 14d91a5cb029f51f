package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"vmctl/internal/version"
)

// jsonVersion is the version as --json prints it.
type jsonVersion struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersion(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Prints the version of vmctl, of the Go that built it, and the platform.",
		Example: "  vmctl version --json",
		Args:    exactly(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			v := jsonVersion{version.String(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			if t.json {
				return t.printJSON(v)
			}
			_, err := fmt.Fprintf(t.Out, "vmctl %s (%s, %s)\n", v.Version, v.Go, v.Platform)
			return err
		},
	}
	t.jsonFlag(cmd)
	return cmd
}
