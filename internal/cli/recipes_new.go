package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// newRecipe is the options of `vmctl recipes new`.
type newRecipe struct {
	draft  recipe.Draft
	guest  string
	set    []string
	output string
	force  bool
}

func newRecipeNew(t *terminal) *cobra.Command {
	var o newRecipe
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write a new recipe",
		Long: `Writes a short recipe with comments, to go on from. With --from it extends a recipe, with
--guest it stands alone; without both, it asks on a terminal for the system, its version
and what the machine gets of this host. Nothing is written before the last answer.

The file is NAME.toml in $XDG_CONFIG_HOME/vmctl/recipes, or that of --output. A file that
is there is replaced with --force only.

Prints the file that was written.`,
		Example: `  vmctl recipes new office
  vmctl recipes new office --from windows-11 --set memory=16G --set env.LANGUAGE=de
  vmctl recipes new server --guest linux --set env.BOOT=debian --output ./vmctl.toml`,
		Args: exactly(1, "a name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args[0])
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.StringVar(&o.draft.From, "from", "", "`RECIPE|FILE` to extend")
	f.StringVar(&o.guest, "guest", "", "`GUEST` of a recipe that stands alone: windows, macos, linux or demo")
	f.StringArrayVar(&o.set, "set", nil, "`KEY=VALUE` for a key of the recipe, as resources.memory=16G; repeatable")
	f.StringVarP(&o.output, "output", "o", "", "`FILE` to write")
	f.BoolVar(&o.force, "force", false, "replace a file that is there")
	return cmd
}

func (o *newRecipe) run(ctx context.Context, t *terminal, name string) error {
	if err := storage.ValidName(name); err != nil {
		return err
	}
	a, err := t.app()
	if err != nil {
		return err
	}
	o.draft.Guest = recipe.Guest(o.guest)
	if err := o.begin(a.Catalog(), t); err != nil {
		return err
	}
	f, err := o.file(a.Catalog(), name)
	if err != nil {
		return err
	}
	if o.draft.From == "" && o.guest == "" {
		err = o.questions(ctx, t, f)
	} else {
		err = o.finish()
	}
	if err != nil {
		return err
	}
	if strings.TrimSuffix(filepath.Base(f.Path), ".toml") != name {
		o.draft.Name = name
	}
	return o.write(t, f)
}

// begin looks whether there is something to begin from.
func (o *newRecipe) begin(c *recipe.Catalog, t *terminal) error {
	switch {
	case o.draft.From != "" && o.guest != "":
		return usageError{errors.New("--from and --guest exclude each other: a recipe has the guest of the one that it extends")}
	case o.draft.From != "":
		_, err := c.File(o.draft.From)
		return err
	case o.guest != "" && !slices.Contains(recipe.Guests(), o.draft.Guest):
		return usageError{fmt.Errorf("--guest must be windows, macos, linux or demo, not %q", o.guest)}
	case o.guest == "" && !t.onTerminal():
		return hint.With(usageError{errors.New("there is no terminal to ask on")}, "say what to begin from: --from RECIPE or --guest GUEST")
	}
	return nil
}

// file is where the recipe goes.
func (o *newRecipe) file(c *recipe.Catalog, name string) (*recipe.File, error) {
	if o.output != "" {
		name = o.output
		if !strings.ContainsRune(name, filepath.Separator) {
			name = "./" + name
		}
	}
	f, err := c.NewFile(name)
	if err != nil {
		return nil, err
	}
	return f, o.free(f.Path)
}

// free refuses a file that is there, unless it may be replaced.
func (o *newRecipe) free(path string) error {
	if _, err := os.Lstat(path); err == nil && !o.force {
		return hint.With(fmt.Errorf("%s: %w", path, os.ErrExist), "replace it with --force, or change it with: vmctl recipes edit %s", path)
	}
	return nil
}

// finish completes the draft without questions. What --set says of the version counts
// here already, for the summary and for the least that the version needs.
func (o *newRecipe) finish() error {
	if o.guest != "" {
		o.draft.Choose(recipe.UsualVersion(o.draft.Guest))
	}
	for _, change := range o.set {
		if key, value, ok := strings.Cut(change, "="); ok && o.guest != "" && key == recipe.VersionKey(o.draft.Guest) {
			o.draft.Choose(value)
		}
	}
	return o.propose()
}

// propose fills in what this host can give.
func (o *newRecipe) propose() error {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return fmt.Errorf("memory of this host: %w", err)
	}
	o.draft.Propose(runtime.NumCPU(), int64(info.Totalram)*int64(info.Unit))
	return nil
}

// write puts the values of --set into the draft's text, and that into the file.
func (o *newRecipe) write(t *terminal, f *recipe.File) error {
	o.draft.Path = "./" + filepath.Base(f.Path)
	if f.Named() {
		o.draft.Path = strings.TrimSuffix(filepath.Base(f.Path), ".toml")
	}
	if err := o.extend(f.Path); err != nil {
		return err
	}
	text, err := o.draft.Text()
	if err != nil {
		return err
	}
	d, err := recipe.NewDocument(text, f.Path)
	if err != nil {
		return err
	}
	if err := setAll(d, o.set); err != nil {
		return err
	}
	if o.force {
		err = f.Overwrite(d.Bytes())
	} else {
		err = f.Save(d.Bytes())
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.Out, f.Path)
	return err
}

// extend makes a file to extend relative to the new one, as the recipe will read it.
func (o *newRecipe) extend(path string) error {
	from := o.draft.From
	if filepath.IsAbs(from) || !strings.Contains(from, "/") && !strings.HasSuffix(from, ".toml") {
		return nil
	}
	from, errFrom := filepath.Abs(from)
	dir, errDir := filepath.Abs(filepath.Dir(path))
	if err := errors.Join(errFrom, errDir); err != nil {
		return err
	}
	relative, err := filepath.Rel(dir, from)
	o.draft.From = relative
	if !strings.Contains(relative, "/") {
		o.draft.From = "./" + relative
	}
	return err
}
