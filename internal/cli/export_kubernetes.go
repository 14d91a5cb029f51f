package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"vmctl/internal/convert"
	"vmctl/internal/hint"
)

func newExportKubernetes(t *terminal) *cobra.Command {
	var o exportOptions
	var kind string
	cmd := &cobra.Command{
		Use:   "kubernetes NAME|RECIPE|FILE",
		Short: "Write a manifest for Kubernetes",
		Long: `Prints a manifest that runs the machine in Kubernetes, or writes it with -o: a claim
for the disk, a Service, and a StatefulSet or Pod. Secrets are read from a Secret; the
head of the file says how to make it, and what Kubernetes cannot hold.`,
		Example: `  vmctl export kubernetes windows-11 -o windows.yml
  kubectl apply -f windows.yml`,
		Args: atMostOne("one machine or recipe"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(convert.Kinds(), convert.Kind(kind)) {
				return hint.With(usageError{fmt.Errorf("unknown kind %q", kind)}, "write --kind StatefulSet or --kind Pod")
			}
			m, err := o.machine(cmd.Context(), t, first(args), "")
			if err != nil {
				return err
			}
			data, notes, err := m.Kubernetes(convert.Kind(kind))
			if err != nil {
				return err
			}
			return o.document(t, data, notes)
		},
		ValidArgsFunction: t.completeTargets,
	}
	o.flags(cmd, "write it to `FILE` (default: standard output)")
	cmd.Flags().StringVar(&kind, "kind", string(convert.StatefulSet), "`KIND` of what runs it: StatefulSet or Pod")
	return cmd
}
