package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"vmctl/internal/convert"
	"vmctl/internal/hint"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

type importOptions struct {
	service, name, output string
	save, force           bool
}

// jsonImport is what `recipes import --json` prints.
type jsonImport struct {
	Recipe string     `json:"recipe"`
	File   string     `json:"file,omitempty"`
	Notes  []jsonNote `json:"notes"`
}

type jsonNote struct {
	Where string `json:"where"`
	Text  string `json:"text"`
}

func newRecipeImport(t *terminal) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FILE...|DIR",
		Short: "Make a recipe of a compose file, a manifest, crictl's configs or a storage directory",
		Long: `Makes a recipe of what other tools run: a compose file, a Kubernetes manifest, or
the pod-config and container-config of crictl, JSON or YAML, in either order. A directory
with data.img or data.qcow2 is the storage of a machine, which is adopted: the
recipe runs it on where it is, and nothing there is changed.

The recipe goes to standard output, or with -o or --save into a file. What could not be
carried over, or was changed on the way, is told on standard error.`,
		Example: `  vmctl recipes import compose.yml --save
  vmctl recipes import pod-config.json container-config.json -o work.toml
  vmctl recipes import /srv/windows > windows.toml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exactly(1, "files or a directory")(cmd, args)
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return o.run(t, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.service, "service", "", "the `NAME` of the service, pod or folder, where there are several")
	flags.StringVar(&o.name, "name", "", "the machine's `NAME`")
	flags.StringVarP(&o.output, "output", "o", "", "write the recipe into `FILE`")
	flags.BoolVar(&o.save, "save", false, "write it into $XDG_CONFIG_HOME/vmctl/recipes, by its name")
	flags.BoolVar(&o.force, "force", false, "replace a file that is there")
	t.jsonFlag(cmd)
	return cmd
}

func (o *importOptions) run(t *terminal, paths []string) error {
	if err := o.check(); err != nil {
		return err
	}
	w, notes, err := convert.Import(paths, o.service)
	if err != nil {
		return err
	}
	text, more, err := w.Recipe()
	if err != nil {
		return err
	}
	notes = append(notes, more...)
	file, err := o.file(t, w)
	if err != nil {
		return err
	}
	if o.name != "" && !o.save {
		text = named(text, o.name)
	}
	r, err := recipe.Parse(text, importName(file, o.name))
	if err != nil {
		return o.refuse(t, text, notes, err)
	}
	notes = append(notes, missing(r)...)
	if file != "" {
		if err := o.write(file, text); err != nil {
			return err
		}
	}
	return tellImport(t, text, file, notes)
}

// check looks at the options.
func (o *importOptions) check() error {
	if o.save && o.output != "" {
		return usageError{errors.New("-o and --save exclude each other")}
	}
	if o.name != "" {
		return storage.ValidName(o.name)
	}
	return nil
}

// missing are the paths of this host that the recipe names and that are not there.
func missing(r *recipe.Recipe) []convert.Note {
	var problems recipe.Problems
	var notes []convert.Note
	if errors.As(r.CheckPaths(), &problems) {
		for _, p := range problems {
			notes = append(notes, convert.Note{Where: p.Field, Text: p.Message + "; before the first start"})
		}
	}
	return notes
}

// importName is how the recipe is called in problems.
func importName(file, name string) string {
	switch {
	case file != "":
		return file
	case name != "":
		return name + ".toml"
	}
	return "recipe.toml"
}

// named puts the machine's name into a recipe that is not called after its file,
// below the first line, which says where it is from.
func named(text []byte, name string) []byte {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	return fmt.Appendf(nil, "%s\nname = %q\n%s", first, name, rest)
}

// file is where the recipe goes; "" is standard output.
func (o *importOptions) file(t *terminal, w convert.Workload) (string, error) {
	if !o.save {
		return o.output, nil
	}
	a, err := t.app()
	if err != nil {
		return "", err
	}
	name := o.name
	if name == "" {
		name = (&recipe.Recipe{Source: w.Name}).MachineName()
	}
	return filepath.Join(a.RecipesDir(), name+".toml"), nil
}

// refuse tells what keeps the text from being a recipe. On standard output the text
// is printed still, to be put right by hand.
func (o *importOptions) refuse(t *terminal, text []byte, notes []convert.Note, err error) error {
	if o.save || o.output != "" || t.json {
		return hint.With(err, "nothing was written; without -o and --save the text is printed, to be put right by hand")
	}
	return errors.Join(tellImport(t, text, "", notes), hint.With(err, "put it right by hand; vmctl up FILE checks it again"))
}

// write makes the file, and replaces one only with --force, all at once. It is for the
// owner only, as it may hold a password.
func (o *importOptions) write(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	how := os.O_EXCL
	if o.force {
		how = os.O_TRUNC // of what is no file, as /dev/stdout
		if target, err := filepath.EvalSymlinks(file); err == nil && isFile(target) {
			return storage.Replace(target, text, nil)
		}
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|how, 0o600)
	if errors.Is(err, os.ErrExist) {
		return hint.With(fmt.Errorf("%s: %w", file, os.ErrExist), "replace it with --force, or choose another name with --name or -o")
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

func isFile(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

func tellImport(t *terminal, text []byte, file string, notes []convert.Note) error {
	if t.json {
		j := jsonImport{Recipe: string(text), File: file, Notes: []jsonNote{}}
		for _, n := range notes {
			j.Notes = append(j.Notes, jsonNote(n))
		}
		return t.printJSON(j)
	}
	for _, n := range notes {
		t.note("note: %s", n)
	}
	if file != "" {
		_, err := fmt.Fprintln(t.Out, file)
		return err
	}
	_, err := t.Out.Write(text)
	return err
}
