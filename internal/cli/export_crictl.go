package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"vmctl/internal/hint"
)

func newExportCrictl(t *terminal) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "crictl NAME|RECIPE|FILE -o DIR",
		Short: "Write pod-config.json, container-config.json and a script that uses crictl",
		Long: `Writes the configs that crictl reads, and machine.sh, which starts the machine with
them, waits for its screen, and stops it in the order that is safe for the disk. The
disk of an existing machine stays where it is; one yet to be made has it in DIR. Where
no runtime answers, the configs leave the cgroup parent out.`,
		Example: `  vmctl export crictl windows-11 -o ~/win
  ~/win/machine.sh start
  ~/win/machine.sh stop`,
		Args:              atMostOne("one machine or recipe"),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.crictl(cmd.Context(), t, first(args)) },
		ValidArgsFunction: t.completeTargets,
	}
	o.flags(cmd, "write the files into `DIR`")
	return cmd
}

func (o *exportOptions) crictl(ctx context.Context, t *terminal, arg string) error {
	if o.output == "" {
		return hint.With(usageError{errors.New("export crictl writes three files, and needs a directory for them")}, "add -o DIR")
	}
	dir, err := filepath.Abs(o.output)
	if err != nil {
		return err
	}
	m, err := o.machine(ctx, t, arg, dir)
	if err != nil {
		return err
	}
	files, notes, err := m.Crictl()
	if err != nil {
		return err
	}
	t.notes(notes)
	if err := os.MkdirAll(o.output, 0o755); err != nil {
		return err
	}
	for i := range files {
		files[i].Name = filepath.Join(o.output, files[i].Name)
	}
	return o.write(t, files)
}
