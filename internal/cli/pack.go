package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
	"vmctl/internal/storage"
)

func newPack(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "pack NAME FILE",
		Short: "Write a whole machine that is stopped into one file",
		Long: `Writes recipe, disks, firmware variables and TPM of a machine into FILE, compressed,
without the holes in its disks, and with checksums. "-" is standard output. Snapshots
are not in it. FILE is there when it is complete: until then it is called FILE.partial;
one that a killed pack has left is written anew.

vmctl unpack makes the machine of it again. So does, without the checks and the name:
tar --zstd -xSf FILE`,
		Example: "  vmctl pack windows-11 windows-11.vm\n  vmctl pack windows-11 - | ssh host vmctl unpack -",
		Args:    exactly(2, "a machine and a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPack(cmd.Context(), t, args[0], args[1])
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return t.completeMachine(cmd, args, typed)
		},
	}
}

func runPack(ctx context.Context, t *terminal, name, path string) error {
	return t.each(ctx, []string{name}, func(m *machine.Manager, name string, report machine.Reporter) (outcome, error) {
		if path == "-" {
			return func() error { return nil }, m.Pack(ctx, name, t.Out, report)
		}
		err := storage.WriteNew(path, func(w io.Writer) error { return m.Pack(ctx, name, w, report) })
		return func() error {
			_, err := fmt.Fprintln(t.Out, path)
			return err
		}, err
	})
}

func newUnpack(t *terminal) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "unpack FILE [NAME]",
		Short: "Make a machine of a file that vmctl pack wrote",
		Long: `Makes a machine of FILE, or of standard input for "-"; NAME is another name for it. Each
file is checked. What is damaged or cut off makes no machine, and neither does an
unpacking that is interrupted.

The machine keeps its MAC address, as one that has moved. Where the machine that was
packed is still here, the new one gets its own. A recipe that comes from elsewhere may
show paths of this host to the guest, or run programs: that is told.`,
		Example: "  vmctl unpack windows-11.vm\n  vmctl unpack --check windows-11.vm",
		Args:    oneOrTwo("a file and a name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runUnpack(cmd.Context(), t, args[0], second(args), check)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "only look whether the file is whole")
	t.jsonFlag(cmd)
	return cmd
}

func runUnpack(ctx context.Context, t *terminal, path, name string, check bool) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	in := t.In
	if path != "-" {
		f, err := os.Open(filepath.Clean(path))
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	p := t.newProgress()
	if check {
		info, err := machine.CheckPack(ctx, in, p.report)
		p.close()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		_, err = fmt.Fprintf(t.Out, "%s is whole: machine %s of %s\n", path, info.Name, info.CreatedAt.Local().Format("2006-01-02 15:04"))
		return err
	}
	mc, err := a.Offline().Unpack(ctx, in, name, p.report)
	p.close()
	if err != nil {
		return err
	}
	if t.json {
		return t.printJSON(toJSON(mc))
	}
	_, err = fmt.Fprintf(t.Out, "%s is made; start it with: vmctl up %s\n", mc.Name, mc.Name)
	return err
}
