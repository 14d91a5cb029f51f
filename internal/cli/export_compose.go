package cli

import (
	"github.com/spf13/cobra"
)

func newExportCompose(t *terminal) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "compose NAME|RECIPE|FILE",
		Short: "Write a compose file for Docker or Podman",
		Long: `Prints a compose file that runs the machine under Docker or Podman, or writes it with
-o. The disk of an existing machine stays where it is; one yet to be made has it in the
folder NAME/storage beside the file. Secrets are variables that compose asks for.`,
		Example: `  vmctl export compose windows-11 -o compose.yml
  docker compose up -d`,
		Args: atMostOne("one machine or recipe"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := o.machine(cmd.Context(), t, first(args), "")
			if err != nil {
				return err
			}
			data, notes, err := m.Compose()
			if err != nil {
				return err
			}
			return o.document(t, data, notes)
		},
		ValidArgsFunction: t.completeTargets,
	}
	o.flags(cmd, "write it to `FILE` (default: standard output)")
	return cmd
}
