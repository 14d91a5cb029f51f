package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"vmctl/internal/convert"
	"vmctl/internal/hint"
)

func newExport(t *terminal) *cobra.Command {
	return group("export", "Write a machine as files for other tools", newExportCrictl(t), newExportCompose(t), newExportKubernetes(t))
}

// exportOptions are the same for each format.
type exportOptions struct {
	overrides overrides
	output    string
	force     bool
}

func (o *exportOptions) flags(cmd *cobra.Command, output string) {
	o.overrides.flags(cmd)
	cmd.Flags().StringVarP(&o.output, "output", "o", "", output)
	cmd.Flags().BoolVar(&o.force, "force", false, "replace files that are there")
}

// machine finds what is to be exported: an existing machine as it was made, unless
// something is changed on the command line, or a recipe. home is where a machine yet to
// be made is to have its storage; "" is a folder of its name, wherever that will be.
func (o *exportOptions) machine(ctx context.Context, t *terminal, arg, home string) (convert.Machine, error) {
	a, err := t.app()
	if err != nil {
		return convert.Machine{}, err
	}
	name, r, err := o.overrides.target(a, arg)
	if err != nil {
		return convert.Machine{}, err
	}
	if _, openErr := a.Store().Open(name); openErr == nil && len(o.overrides.list()) == 0 {
		r = nil // the machine is what it was made from
	}
	if home == "" {
		home = name
	}
	m, err := a.Machines(ctx)
	if err != nil {
		m = a.Offline()
	}
	c, err := m.Configs(ctx, name, r, home)
	if err != nil {
		return convert.Machine{}, err
	}
	return convert.Machine(c), nil
}

// document prints one file, or writes it where -o says, and tells the notes.
func (o *exportOptions) document(t *terminal, data []byte, notes []convert.Note) error {
	t.notes(notes)
	if o.output == "" {
		_, err := t.Out.Write(data)
		return err
	}
	// It holds the guest's password, where the recipe does.
	return o.write(t, []convert.File{{Name: o.output, Data: data, Mode: 0o600}})
}

// write writes all files or, where one is there already, none.
func (o *exportOptions) write(t *terminal, files []convert.File) error {
	for _, f := range files {
		_, err := os.Lstat(f.Name)
		if err == nil && !o.force {
			return hint.With(fmt.Errorf("%s: %w", f.Name, fs.ErrExist), "replace it with --force, or choose another name with -o")
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, f := range files {
		if err := replaceFile(f); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(t.Out, f.Name); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile writes a new file beside the old one first, so that the file is never half
// of one, and never more readable than it may be.
func replaceFile(f convert.File) error {
	temp, err := os.CreateTemp(filepath.Dir(f.Name), "."+filepath.Base(f.Name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(f.Data)
	err = errors.Join(err, temp.Chmod(f.Mode), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), f.Name)
}

// notes tells what the format cannot hold.
func (t *terminal) notes(notes []convert.Note) {
	for _, n := range notes {
		t.note("%s", n)
	}
}
